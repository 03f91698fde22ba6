"""What register data may be used for: declared in packs, with the law and what the subject is told."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from yiwang.kernel.packs.api import current


@dataclass(frozen=True)
class Purpose:
    """A purpose of a ``purposes`` pack. supervision: inspections by law are for it."""

    name: str
    says: str
    basis: str
    delay_days: int = 0
    supervision: bool = False

    def visible_from(self) -> date | None:
        """The day from which the subject sees a use made today; None: at once."""
        return timezone.localdate() + timedelta(days=self.delay_days) if self.delay_days else None


class UnknownPurpose(LookupError):
    """No pack declares it."""


def purposes() -> dict[str, Purpose]:
    """Every purpose in force, by name."""
    return {
        p["name"]: Purpose(
            p["name"], p["says"], p["basis"], p.get("delay_days", 0), p.get("supervision", False)
        )
        for pack in current().all("purposes")
        for p in pack.data["purposes"]
    }


def answer_within() -> int:
    """Working days in which an office answers somebody who doubts a use of his data."""
    return min(pack.data["answer_within"]["value"] for pack in current().all("purposes"))


def purpose_of(name: str) -> Purpose:
    """The purpose of that name.

    Raises:
        UnknownPurpose: no pack declares it.
    """
    try:
        return purposes()[name]
    except KeyError as missing:
        raise UnknownPurpose(f"没有声明过使用目的“{name}”，请先写进 purposes 包") from missing


COMMON = "*"
"""Id of a ``sources`` entry whose words hold for every source."""


def source_names() -> dict[str, str]:
    """What people call each source of a use: a register by its id, a data set of the hub by ``hub.<id>``.

    What a room makes from them (a class, a list) is declared under ``sources`` of a ``purposes`` pack.
    """
    names = {pack.id: pack.name for pack in current().all("register")}
    declared = {
        s["id"]: s["name"] for pack in current().all("purposes") for s in pack.data.get("sources", ())
    }
    return names | {f"hub.{pack.id}": pack.name for pack in current().all("dataset")} | declared


def field_names(source: str, fields: str) -> list[str]:
    """What people call the fields that a use names, with commas between; empty for the whole record."""
    if fields == "*":
        return []
    sources = [one for pack in current().all("purposes") for one in pack.data.get("sources", ())]
    words: dict[str, str] = {}
    for wanted in (COMMON, source):
        for one in sources:
            words |= one.get("fields", {}) if one["id"] == wanted else {}
    contract = current().find("dataset", source.removeprefix("hub.")) if source.startswith("hub.") else None
    if contract is not None:
        words |= {id: spec["name"] for id, spec in contract.data["fields"].items()}
    return [words.get(field, field) for field in fields.split(",")]
