"""Materials: each of each holder once, met by the lightest way that every item that wants it accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from yiwang.engines.cases.forms import expressions
from yiwang.engines.cases.forms.contracts import (
    FormField,
    FormMaterial,
    Origin,
    PlanError,
    RegisterLookup,
    Way,
)
from yiwang.engines.cases.forms.dictionary import absolute

if TYPE_CHECKING:
    from yiwang.engines.cases.forms.merge import _Planner

LICENCES = "licences"  # the register through which electronic licences are fetched
_ALL = ("licence", "register", "commitment", "upload")


def merge_materials(planner: _Planner, fields: Mapping[str, FormField]) -> tuple[FormMaterial, ...]:
    """Merge by (material, holder), then decide how each is met: an earlier item's licence, an electronic
    licence, a register, a commitment, facts already proved, else one upload.

    Raises:
        PlanError: a material is not in the dictionary.
    """
    dictionary = {
        id_: definition
        for pack in planner.library.all("materials")
        for id_, definition in pack.data["materials"].items()
    }
    wanted: dict[str, list[tuple[str, Mapping[str, Any], str | None]]] = {}
    for item in planner.items:
        for entry in item.pack.data.get("materials", ()):
            spec: Mapping[str, Any] = {"ref": entry, "required": True} if isinstance(entry, str) else entry
            material, holder = spec["ref"].split("@")
            if material not in dictionary:
                raise PlanError(f"{item.pack.name}要的材料 {material} 不在材料字典里")
            required = spec.get("required", True)
            text = item.text(required) if isinstance(required, str) else None
            key = f"{material}@{item.bind.get(holder, holder)}"
            wanted.setdefault(key, []).append((item.pack.id, spec, text))
    produced = planner._licences()
    available = {p for p, f in fields.items() if f.origin not in (Origin.ASKED, Origin.PRODUCED)}
    merged = []
    for key, demands in sorted(wanted.items()):
        material, holder = key.split("@")
        definition = dictionary[material]
        accept = tuple(w for w in _ALL if all(w in spec.get("accept", _ALL) for _, spec, _ in demands))
        always = any(spec.get("required", True) is True for _, spec, _ in demands)
        texts = {text for _, _, text in demands if text}
        if not always and texts:
            answer = expressions.truth(expressions.any_of(texts), planner.answers, planner.answers)
            if answer is False:
                continue
        way, source, lookup = _way(planner, definition, key, holder, accept, produced, available, fields)
        merged.append(
            FormMaterial(
                id=material,
                name=definition["name"],
                holder=holder,
                holder_label=planner.role_label(holder),
                items=tuple(sorted({i for i, _, _ in demands})),
                way=way,
                required=always,
                source=source,
                told=_told(definition, planner.role_label(holder), way, source),
                accept=accept,
                required_when=None if always or not texts else expressions.any_of(texts),
                produced_by=produced.get(key, ""),
                licence=definition.get("licence"),
                lookup=lookup,
                field=f"{holder}.{definition['field']}" if "field" in definition else None,
                tolerable=all(spec.get("tolerable", False) for _, spec, _ in demands),
                proves=tuple(f"{holder}.{p}" for p in definition.get("proves", ())),
            )
        )
    return tuple(merged)


def _way(
    planner: _Planner,
    definition: Mapping[str, Any],
    key: str,
    holder: str,
    accept: tuple[str, ...],
    produced: Mapping[str, str],
    available: set[str],
    fields: Mapping[str, FormField],
) -> tuple[Way, str, RegisterLookup | None]:
    if key in produced:
        return Way.PRODUCED, f"由{planner.library.get('service_item', produced[key]).name}产生", None
    holder_known = f"{holder}.idno" in available
    if "licence" in accept and "licence" in definition and LICENCES in planner.up and holder_known:
        return Way.LICENCE, planner.library.get("register", LICENCES).name, None
    register = definition.get("register")
    if "register" in accept and register and register["register"] in planner.up:
        query = absolute(register["key"], holder)
        if query in available:
            name = planner.library.get("register", register["register"]).name
            return Way.REGISTER, name, RegisterLookup(register["register"], query, "")
    if "commitment" in accept and definition.get("commitment", {}).get("allowed"):
        return Way.COMMITMENT, "告知承诺", None
    proves = [f"{holder}.{p}" for p in definition.get("proves", ())]
    if proves and all(p in fields and fields[p].origin in (Origin.PREFILLED, Origin.DERIVED) for p in proves):
        return Way.PROVED, "所证内容已由登记库核验", None
    return Way.UPLOAD, "", None


def _told(definition: Mapping[str, Any], holder: str, way: Way, source: str) -> str:
    name = f"{holder}的{definition['name']}"
    if way is Way.UPLOAD:
        return f"{name}：请上传，{definition.get('how', '清晰完整')}"
    if way is Way.COMMITMENT:
        return f"{name}：签署承诺书即可，不用提交"
    return f"{name}：免交，{source}"
