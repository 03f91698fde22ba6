"""Acceptance conditions analysed as rule tables: never met, contradicting one another, outside the allowed values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from yiwang.engines.cases.forms.conditions import Table, tables
from yiwang.engines.cases.forms.merge import plan as make_plan
from yiwang.engines.judge.analysis import Finding, analyse
from yiwang.engines.judge.conditions import joined
from yiwang.engines.judge.rules import NotARule
from yiwang.kernel.feel import FeelSyntaxError
from yiwang.kernel.packs.contracts import Library, Pack, Problem

DAY = date(2026, 1, 1)
"""A day for `today` in conditions: what the analysis finds does not hang on which."""
FAULTS = ("never", "value")


def errors(library: Library, pack: Pack) -> Iterator[Problem]:
    """Conditions that the judge engine cannot take, that nobody can meet, or that contradict one another."""
    try:
        found = list(tables(make_plan(library, pack.id), pack.id, DAY))
    except NotARule as error:
        for problem in error.problems:
            yield pack.problem(("conditions",), str(problem), problem.remedy, "L1")
        return
    except FeelSyntaxError:  # told with its place by the names' lint
        return
    dead = False
    for number, one in enumerate(found):
        if one.table is None:
            continue
        for finding in analyse(one.table):
            if finding.kind in FAULTS and (finding.kind == "value" or len(one.table.rules) == 1):
                dead = True
                what = f"受理条件 {one.id}「{one.data['text']}」：{finding.text}"
                yield pack.problem(("conditions", number), what, finding.suggestion, finding.kind)
    whole = joined(pack.id, pack.name, tuple(one.table for one in found if one.table))
    if whole is not None and not dead:
        never = [f for f in analyse(whole) if f.kind == "never"]
        if len(never) == len(whole.rules) and whole.rules:
            names = "、".join(one.id for one in found if one.table)
            what = f"受理条件互相矛盾，没有人能同时满足（{names}）：{never[0].text}"
            yield pack.problem(("conditions",), what, "请核对这些条件", "never")


def hints(library: Library, pack: Pack) -> list[tuple[Table, Finding]]:
    """What is odd but no fault: an alternative that is never met or says nothing new, or is judged one by one."""
    try:
        found = list(tables(make_plan(library, pack.id), pack.id, DAY))
    except (NotARule, FeelSyntaxError):
        return []
    return [
        (one, finding)
        for one in found
        if one.table
        for finding in analyse(one.table)
        if finding.kind not in FAULTS or len(one.table.rules) > 1
    ]
