"""What the pages of a file show: the class by evaluations, sources side by side, licences, relations, the timeline."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import Actor

from . import conflicts, queries, relations, tables
from .portrait.contracts import FilePlan, Source
from .portrait.facts import said
from .risk import waterfall
from .risk.contracts import Grade, Point, Table
from .risk.evaluations import delivered, parts
from .risk.rules import next_changes

STATES = {
    "counts": gettext_noop("计分"),
    "expired": gettext_noop("已到期，不计分"),
    "later": gettext_noop("还没到起算日"),
    "repaired": gettext_noop("已信用修复，不计分"),
    "disputed": gettext_noop("有异议，冻结不计分"),
    "same": gettext_noop("同一件事已计过"),
}


def shown_file(actor: Actor, found: queries.File, purpose: str) -> dict[str, Any]:
    """Everything on the page of a file, for officials and for the enterprise alike."""
    table, grade = found.table, found.grade
    stored = found.standing.get("grade")
    brought = {f.delivery.seq for f in found.facts if f.delivery}
    seen = brought if actor.is_staff else set()  # every official may see where data came from
    context = {
        "file": found, "stored": stored, "changes": found.standing.get("changes", []),
        "facts": [_fact(f, seen) for f in found.facts],
    }  # fmt: skip
    plan = tables.plan()
    if plan is not None:
        related = relations.relations_of(found.uscc, purpose, found.on)
        name = str((found.registration or {}).get("name", found.uscc))
        context |= {
            "sections": _sections(plan, found), "relations": related, "drawing": relations.drawn(name, related),
            "sources": _sources(plan, found, conflicts.read(None, found.uscc, purpose)),
        }  # fmt: skip
    if table is None or grade is None:
        return context
    bars = waterfall.bars(table, grade)
    counted = [p for p in grade.points if p.counts]
    return context | {
        "grade": grade, "class": table.of_class(grade.id),
        "in_force": table.of_class(stored["in_force"]) if stored and stored["in_force"] else None,
        "from_day": stored["from_day"] if stored else None, "total": grade.total / 100,
        "bars": bars, "lines": waterfall.lines(table, grade), "height": len(bars) * waterfall.ROW,
        "evaluations": evaluations(table, grade, found), "ladder": table.classes,
        "remedies": list(dict.fromkeys((p.indicator.name, p.indicator.remedy) for p in counted)),
        "coming": [(day, id, total / 100) for day, id, total in next_changes(grade, table, found.on)] if grade.id else [],
        "table": table,
    }  # fmt: skip


def point(table: Table, p: Point) -> dict[str, Any]:
    """A point of the class as a row."""
    slot = table.slots[p.indicator.slot]
    return {
        "point": p, "slot": slot, "state": _(STATES[p.state]), "weighted": p.indicator.points * slot.weight / 100,
        "key": p.key.replace(queries.SEPARATOR, " "), "dataset": table.datasets[p.indicator.dataset].name,
    }  # fmt: skip


def evaluations(table: Table, grade: Grade, found: queries.File | None = None) -> list[dict[str, Any]]:
    """The evaluations one by one: their points, and for those that others make, the results delivered."""
    told = []
    for part in parts(table, grade):
        results = []
        for f in found.facts if found else ():
            if f.dataset.id in delivered(table, part.evaluation):
                named = [
                    (x.name, hub.said(f.dataset, x.id, f.values.get(x.id)))
                    for x in f.dataset.fields
                    if x.id not in (f.dataset.subject_field, "name") and f.values.get(x.id)
                ]
                results.append(named)
        told.append(
            {
                "part": part, "subtotal": part.subtotal / 100, "results": results,
                "points": [point(table, p) for p in part.found],
            }
        )  # fmt: skip
    return told


def _sections(plan: FilePlan, found: queries.File) -> list[dict[str, Any]]:
    told = []
    for section in plan.sections:
        shown_tables = []
        for columns in section.tables:
            dataset = hub.find(columns.dataset)
            if dataset is None:
                continue
            rows = [
                [hub.said(dataset, x, f.values.get(x)) for x in columns.fields]
                for f in found.facts
                if f.dataset.id == columns.dataset
            ]
            heads = [dataset.field(x).name for x in columns.fields]
            shown_tables.append({"dataset": dataset, "heads": heads, "rows": rows})
        told.append({"section": section, "tables": shown_tables})
    return told


def _sources(plan: FilePlan, found: queries.File, differences: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Facts that several sources state, side by side, with what differs and what was decided."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for f in found.facts:
        rows.setdefault(f.dataset.id, []).append(f.values)
    told = []
    for fact in plan.facts:
        mine = {d["dataset"]: d for d in differences if d["fact"] == fact.id}
        verdicts = [d for d in mine.values() if d["verdict"]]
        sides = []
        for source in (fact.authority, *fact.others):
            says = said(fact, source, rows.get(source.dataset.id, ()))
            if says is None and source.dataset.id not in mine:
                continue
            sides.append(
                {
                    "source": source, "authority": source is fact.authority, "since": says.since if says else None,
                    "value": _value(source, says.value if says else None),
                    "difference": mine.get(source.dataset.id),
                }
            )  # fmt: skip
        right = verdicts[0]["verdict"] if verdicts else fact.authority.dataset.id
        value = next((s["value"] for s in sides if s["source"].dataset.id == right), "")
        told.append(
            {"fact": fact, "sides": sides, "value": value, "verdicts": verdicts, "disputed": bool(mine)}
        )
    return told


def _value(source: Source, value: str | None) -> str:
    return hub.said(source.dataset, source.field, value)


def _fact(f: queries.Fact, seen: set[int]) -> dict[str, Any]:
    told = [
        (x.name, hub.said(f.dataset, x.id, f.values.get(x.id)))
        for x in f.dataset.fields
        if f.values.get(x.id) not in (None, "") and x.id != f.dataset.subject_field
    ]
    return {
        "fact": f,
        "fields": told,
        "link": "、".join(_(e) for e in f.values.get("_link", ())),
        "counted": [p for p in f.points if p.counts],
        "states": [(p.indicator.name, _(STATES[p.state])) for p in f.points],
        "linked": f.delivery is not None and f.delivery.seq in seen,
    }
