"""A pack of kind ``dataset`` as a contract, with its code lists resolved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from yiwang.kernel.packs.contracts import Library, Pack

from .contracts import Dataset, Field, Limit, Mode, Pull, Refers, Rule, Type


def dataset_of(pack: Pack, library: Library, regions: Iterable[str] = ()) -> Dataset:
    """The contract that a pack describes.

    Args:
        library: where its code lists are.
        regions: codes of divisions, today's and former ones; without them any six digits pass.

    Raises:
        UnknownPack: a code list is missing (``packs check`` says so first).
    """
    data = pack.data
    known = frozenset(regions)
    fields = tuple(_field(id, spec, library, known) for id, spec in data["fields"].items())
    pull = data.get("pull")
    withdrawal = data.get("withdrawal", {})
    return Dataset(
        id=pack.id,
        name=pack.name,
        version=pack.version,
        department=data["department"],
        fields=fields,
        key=tuple(data["key"]),
        unique=tuple(tuple(group) for group in data.get("unique", ())),
        valid_from=data["valid_from"],
        valid_to=data.get("valid_to", ""),
        subject_entity=data["subject"]["entity"],
        subject_field=data["subject"]["field"],
        withdrawal_field=withdrawal.get("field", ""),
        withdrawal_values=frozenset(withdrawal.get("values", ())),
        rules=tuple(
            Rule(r["id"], r["holds"], r["field"], r["what"], r["remedy"]) for r in data.get("rules", ())
        ),
        refers=Refers(**data["refers"]) if "refers" in data else None,
        territory=data.get("territory", ""),
        cycle_days=data["cycle"]["days"],
        grace_days=data["cycle"].get("grace", 0),
        expected_rows=data["expected"]["rows"],
        mode=Mode(data["delivery"]["mode"]),
        withdraw_at_most=float(data["delivery"].get("withdraw_at_most", 1)),
        pull=Pull(pull["from"], pull["setting"], pull["hours"], pull.get("path", ""), pull.get("query", ""))
        if pull
        else None,
        sharing=data["sharing"]["class"],
        limits=tuple(
            Limit(r["field"], r["test"], str(r["value"]), r.get("or_missing", False))
            for r in data["sharing"].get("rows", ())
        ),
        purposes=tuple(data["purposes"]),
        summary=data["summary"],
        resource=data.get("resource", ""),
        effective_from=date.fromisoformat(data["effective"]["from"]),
        by_id={f.id: f for f in fields},
    )


def _field(id: str, spec: Mapping[str, Any], library: Library, regions: frozenset[str]) -> Field:
    type_ = Type(spec["type"])
    codes = regions if type_ is Type.REGION else frozenset[str]()
    labels: dict[str, str] = {}
    names: tuple[tuple[str, str], ...] = ()
    listed = ""
    if type_ is Type.CODE:
        pack = library.get("codelist", spec["codelist"])
        entries = pack.data["codes"]
        labels, listed = {c["code"]: c["name"] for c in entries}, pack.name
        names = tuple((name, c["code"]) for c in entries for name in (c["name"], *c.get("also", ())))
        codes = frozenset(labels)
    return Field(
        id=id,
        name=spec["name"],
        type=type_,
        required=spec.get("required", False),
        level=spec["level"],
        also=tuple(spec.get("also", ())),
        element=spec.get("element", ""),
        minimum=str(spec.get("min", "")),
        maximum=str(spec.get("max", "")),
        max_length=spec.get("max_length", 0),
        scale=spec.get("scale", 2),
        pattern=spec.get("pattern", ""),
        codelist=spec.get("codelist", ""),
        codes=codes,
        names=names,
        example=spec.get("example", ""),
        labels=labels,
        listed=listed,
    )
