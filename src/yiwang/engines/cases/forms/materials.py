"""Materials: each of each holder once, met by the lightest way that every item that wants it accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from yiwang.engines.cases.forms import expressions
from yiwang.engines.cases.forms.contracts import (
    FormField,
    FormMaterial,
    FormPlan,
    Lookup,
    Origin,
    PlanError,
    Provenance,
    RegisterLookup,
    Way,
)
from yiwang.engines.cases.forms.demand import Bound
from yiwang.engines.cases.forms.dictionary import absolute
from yiwang.engines.cases.forms.fill import known_record
from yiwang.kernel.packs.contracts import Library

LICENCES = "licences"  # the register through which electronic licences are fetched
LICENCE_TYPES = "zzlx"  # its field that lists the types a person holds, with 、 between
_ALL = ("licence", "register", "commitment", "upload")


def merge_materials(
    library: Library,
    items: Iterable[Bound],
    answers: Mapping[str, Any],
    up: frozenset[str],
    produced: Mapping[str, str],
    fields: Mapping[str, FormField],
    role_label: Callable[[str], str],
) -> tuple[FormMaterial, ...]:
    """Merge by (material, holder), then decide how each is met: an earlier item's licence, an electronic
    licence, a register, a commitment, facts already proved, else one upload.

    Args:
        answers: of situations. up: registers that answer. produced: ``material@holder`` → issuing item.

    Raises:
        PlanError: a material is not in the dictionary.
    """
    dictionary = _dictionary(library)
    wanted: dict[str, list[tuple[str, Mapping[str, Any], str | None]]] = {}
    for item in items:
        for entry in item.pack.data.get("materials", ()):
            spec: Mapping[str, Any] = {"ref": entry, "required": True} if isinstance(entry, str) else entry
            material, holder = spec["ref"].split("@")
            if material not in dictionary:
                raise PlanError(f"{item.pack.name}要的材料 {material} 不在材料字典里")
            required = spec.get("required", True)
            text = item.text(required) if isinstance(required, str) else None
            key = f"{material}@{item.bind.get(holder, holder)}"
            wanted.setdefault(key, []).append((item.pack.id, spec, text))
    available = {p for p, f in fields.items() if f.origin not in (Origin.ASKED, Origin.PRODUCED)}
    merged = []
    for key, demands in sorted(wanted.items()):
        material, holder = key.split("@")
        definition = dictionary[material]
        accept = tuple(w for w in _ALL if all(w in spec.get("accept", _ALL) for _, spec, _ in demands))
        always = any(spec.get("required", True) is True for _, spec, _ in demands)
        texts = {text for _, _, text in demands if text}
        if not always and texts:
            answer = expressions.truth(expressions.any_of(texts), answers, answers)
            if answer is False:
                continue
        way, source, lookup = _way(library, up, definition, key, holder, accept, produced, available, fields)
        merged.append(
            FormMaterial(
                id=material,
                name=definition["name"],
                holder=holder,
                holder_label=role_label(holder),
                items=tuple(sorted({i for i, _, _ in demands})),
                way=way,
                required=always,
                source=source,
                told=_told(definition, role_label(holder), way, source),
                accept=accept,
                required_when=None if always or not texts else expressions.any_of(texts),
                produced_by=produced.get(key, ""),
                licence=definition.get("licence"),
                lookup=lookup,
                field=f"{holder}.{definition['field']}" if "field" in definition else None,
                tolerable=all(spec.get("tolerable", False) for _, spec, _ in demands),
                proves=tuple(f"{holder}.{p}" for p in definition.get("proves", ())),
                pledge=definition.get("commitment", {}).get("text", ""),
                verify_days=definition.get("commitment", {}).get("verify_within_days"),
                owed_within=_soonest(spec for _, spec, _ in demands),
                generated=definition.get("generated", ""),
            )
        )
    return tuple(merged)


def _way(
    library: Library,
    up: frozenset[str],
    definition: Mapping[str, Any],
    key: str,
    holder: str,
    accept: tuple[str, ...],
    produced: Mapping[str, str],
    available: set[str],
    fields: Mapping[str, FormField],
) -> tuple[Way, str, RegisterLookup | None]:
    if key in produced:
        return Way.PRODUCED, f"由{library.get('service_item', produced[key]).name}产生", None
    holder_known = f"{holder}.idno" in available
    if "licence" in accept and "licence" in definition and LICENCES in up and holder_known:
        return Way.LICENCE, library.get("register", LICENCES).name, None
    register = definition.get("register")
    if "register" in accept and register and register["register"] in up:
        query = absolute(register["key"], holder)
        if query in available:
            name = library.get("register", register["register"]).name
            return Way.REGISTER, name, RegisterLookup(register["register"], query, "")
    if "commitment" in accept and definition.get("commitment", {}).get("allowed"):
        return Way.COMMITMENT, "告知承诺", None
    proves = [f"{holder}.{p}" for p in definition.get("proves", ())]
    if proves and all(p in fields and fields[p].origin in (Origin.PREFILLED, Origin.DERIVED) for p in proves):
        return Way.PROVED, "所证内容已由登记库核验", None
    return Way.UPLOAD, "", None


def _soonest(demands: Iterable[Mapping[str, Any]]) -> tuple[int, str] | None:
    """The shortest time within which a tolerable material must follow."""
    limits = [
        (spec["owed_within"]["value"], spec["owed_within"]["unit"])
        for spec in demands
        if "owed_within" in spec
    ]
    return min(limits) if limits else None


def _dictionary(library: Library) -> dict[str, Mapping[str, Any]]:
    return {
        id_: definition
        for pack in library.all("materials")
        for id_, definition in pack.data["materials"].items()
    }


def verified(
    plan: FormPlan, data: Mapping[str, Any], provenance: Mapping[str, Provenance], lookup: Lookup
) -> tuple[FormMaterial, ...]:
    """The plan's materials as this applicant can meet them.

    The plan says which way is open; here it is tried. A licence that the library does not hold, a register
    without a record, a fact that had to be typed: the next way that the items accept takes its place.

    Args:
        data, provenance: as ``fill`` returned them. lookup: reads a register.
    """
    dictionary = _dictionary(plan.library)
    settled = []
    for material in plan.materials:
        way = _lightest(material, dictionary[material.id], data, provenance, lookup)
        if way is not material.way:
            source = {Way.COMMITMENT: "告知承诺", Way.PROVED: "所证内容已由登记库核验"}.get(way, "")
            told = _told(dictionary[material.id], material.holder_label, way, source)
            material = replace(material, way=way, source=source, told=told)
        settled.append(material)
    return tuple(settled)


def _lightest(
    material: FormMaterial,
    definition: Mapping[str, Any],
    data: Mapping[str, Any],
    provenance: Mapping[str, Provenance],
    lookup: Lookup,
) -> Way:
    if material.way is Way.LICENCE:
        record = known_record(LICENCES, f"{material.holder}.idno", data, provenance, lookup)
        if record and material.licence in str(record.get(LICENCE_TYPES, "")).split("、"):
            return Way.LICENCE
    elif material.way is Way.REGISTER and material.lookup:
        if known_record(material.lookup.register, material.lookup.key, data, provenance, lookup):
            return Way.REGISTER
    elif material.way is not Way.PROVED:
        return material.way
    if "commitment" in material.accept and definition.get("commitment", {}).get("allowed"):
        return Way.COMMITMENT
    sources = [provenance.get(path) for path in material.proves]
    if sources and all(p and p.origin in (Origin.PREFILLED, Origin.DERIVED) for p in sources):
        return Way.PROVED
    return Way.UPLOAD


def _told(definition: Mapping[str, Any], holder: str, way: Way, source: str) -> str:
    name = f"{holder}的{definition['name']}"
    if way is Way.UPLOAD:
        return f"{name}：请上传，{definition.get('how', '清晰完整')}"
    if way is Way.COMMITMENT:
        return f"{name}：签署承诺书即可，不用提交"
    return f"{name}：免交，{source}"
