"""Values of records as people read them: codes by name, personal information masked."""

from functools import lru_cache
from typing import Any

from yiwang.kernel.orgs.models import Region
from yiwang.kernel.packs import api as packs

from .contracts import Dataset, Type
from .masks import shown

REGIONS = "region"  # no code list has this id


@lru_cache(maxsize=2)
def _names(release: str) -> dict[str, dict[str, str]]:
    """Code list → code → name; divisions under ``REGIONS``. Kept for a release: both come with the packs."""
    found = packs.library(release).all("codelist")
    lists = {p.id: {c["code"]: c["name"] for c in p.data["codes"]} for p in found}
    return lists | {REGIONS: dict(Region.objects.values_list("code", "name"))}


def said(dataset: Dataset, field: str, value: Any) -> str:
    """One value of a dataset's field in words; empty for none."""
    if value in (None, ""):
        return ""
    spec = dataset.field(field)
    listed = REGIONS if spec.type is Type.REGION else spec.codelist
    names = _names(packs.current_release()).get(listed, {})
    if spec.type is Type.DATETIME:
        value = str(value).replace("T", " ", 1)
    return names.get(str(value)) or str(shown(spec, value))


def code_said(dataset: Dataset, field: str, value: Any) -> str:
    """A code with what it stands for, or a beginning of a division's code; any other value as it is."""
    text = "" if value is None else str(value)
    spec = dataset.by_id.get(field)
    if not text or spec is None:
        return text
    place = spec.type is Type.REGION
    names = _names(packs.current_release()).get(REGIONS if place else spec.codelist, {})
    name = names.get(text) or (names.get(text.ljust(6, "0")) if place else None)
    return f"{name}（{text}）" if name else text
