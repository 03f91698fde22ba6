"""What one enterprise is entitled to: the policies in force, judged with its register data and its own statements."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.judge import library as policies
from yiwang.engines.judge.api import Fields, Judge, Status, Verdict, filled_row
from yiwang.engines.judge.library import Frame, amount_field
from yiwang.engines.judge.rules import derived_sql, values
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack
from yiwang.kernel.registers.api import Unavailable, lookup

from .best import Best, best, clashes
from .models import Grant, Standing, Statement

PURPOSE = "惠企政策匹配"
OWN = "企业填报"


@dataclass(frozen=True)
class Prepared:
    """A release's policies, ready to judge on one day. ``fields`` has the amounts too."""

    release: str
    frame: Frame
    packs: dict[str, Pack]
    judge: Judge
    fields: Fields
    day: date
    excluded: dict[str, dict[str, str]]

    def single(self, ref: str) -> tuple[Judge, Fields]:
        """A judge of one policy alone, and the fields with its amount."""
        return _single(self.release, self.day, ref)


@lru_cache(maxsize=4)
def regions(release: str) -> dict[str, str]:
    """Code to name of every division of a release."""
    found: dict[str, str] = {}
    for pack in packs.library(release).all("regions"):
        table = packs.asset(release, str(Path(pack.file).parent / pack.data["divisions"]["file"]))
        found.update({r["code"]: r["name"] for r in csv.DictReader(io.StringIO(table.decode("utf-8-sig")))})
    return found


def frame(release: str = "") -> Frame:
    """The declared fields. Raises Refused where the packs declare none."""
    release = release or packs.current_release()
    found = policies.frame(packs.library(release), regions(release))
    if found is None:
        raise Refused(_("还没有登记研判字段（judge_fields 包）。"))
    return found


@lru_cache(maxsize=4)
def _prepared(release: str, day: date) -> Prepared:
    declared = frame(release)
    found = {p.id: p for p in policies.in_force(packs.library(release).all("policy"), day)}
    judge = Judge([policies.load(p.data, declared, day) for p in found.values()], declared.fields, day)
    amounts = {amount_field(id_): p.data["benefit"]["amount"] for id_, p in found.items()}
    return Prepared(
        release,
        declared,
        found,
        judge,
        declared.with_amounts(amounts),
        day,
        clashes(p.data for p in found.values()),
    )


@lru_cache(maxsize=64)
def _single(release: str, day: date, ref: str) -> tuple[Judge, Fields]:
    now = _prepared(release, day)
    amount = {amount_field(ref): now.packs[ref].data["benefit"]["amount"]}
    judge = Judge([p for p in now.judge.policies if p.id == ref], now.frame.fields, day)
    return judge, now.frame.with_amounts(amount)


def prepared() -> Prepared:
    """Today's policies."""
    return _prepared(packs.current_release(), timezone.localdate())


def prepared_for(release: str, day: date) -> Prepared:
    """The policies of a release on a day."""
    return _prepared(release, day)


def listed() -> list[Pack]:
    """Every policy in force today, for everyone."""
    return policies.in_force(packs.current().all("policy"), timezone.localdate())


def rules_of() -> Mapping[str, Any]:
    """The rules of handling: publicity, filters."""
    return packs.current().get("policy_rules", "policy").data


@dataclass(frozen=True)
class Line:
    """A condition as the enterprise reads it. ``answer``: True met, False not, None unknown."""

    text: str
    clause: str
    value: str
    source: str
    answer: bool | None
    advice: str


@dataclass(frozen=True)
class Case:
    """A policy and the enterprise. ``amount`` in yuan, where it can be computed."""

    pack: Pack
    status: Status
    word: str
    short: int
    amount: Decimal | None
    lines: list[Line]
    missing: tuple[str, ...] = ()

    @property
    def advice(self) -> list[str]:
        """What would close the distance."""
        return [line.advice for line in self.lines if line.advice]


@dataclass(frozen=True)
class Space:
    """「你能享受什么」. ``stated``: fields whose value is the enterprise's own."""

    enterprise: Enterprise
    cases: list[Case]
    best: Best
    row: dict[str, Any] = field(default_factory=dict)
    stated: frozenset[str] = frozenset()

    def of(self, status: Status) -> list[Case]:
        return sorted(
            (c for c in self.cases if c.status == status), key=lambda c: (c.short, -(c.amount or 0))
        )


def enterprise_of(actor: Actor) -> Enterprise | None:
    """The enterprise that the actor acts for, or None."""
    if actor.acting_for is None or actor.acting_for.kind != "enterprise":
        return None
    return Enterprise.objects.filter(id=actor.acting_for.id).first()


def enjoyed(enterprise: Enterprise) -> list[Pack]:
    """The policies in force that it was entitled to when it was last judged; reads no register."""
    found = Standing.objects.filter(subject_id=enterprise.id).first()
    ids = set(found.entitled) if found else set()
    return [p for p in listed() if p.id in ids]


def wishes(enterprise: Enterprise) -> list[Grant]:
    """What it was granted and is asked whether it wants."""
    return list(Grant.objects.filter(subject_id=enterprise.id, state=Grant.ASKED).select_related("round"))


def row_of(enterprise: Enterprise, declared: Frame) -> tuple[dict[str, Any], frozenset[str]]:
    """What is known of an enterprise: the register's, and its own words where the register has nothing.

    The read leaves an entry in the ledger. A register that does not answer leaves its fields missing.
    """
    try:
        found = lookup(declared.register, enterprise.uscc, PURPOSE) or {}
    except Unavailable:
        found = {}
    return known(found, Statement.objects.filter(subject_id=enterprise.id), declared)


def known(
    found: Mapping[str, Any], statements: Iterable[Statement], declared: Frame
) -> tuple[dict[str, Any], frozenset[str]]:
    """A register's record with an enterprise's own words in its gaps, and which fields are its own words."""
    known = {k: v for k, v in policies.given(found, declared).items() if v is not None}
    own: dict[str, Any] = {}
    for said in statements:
        if said.field in declared.fields and said.field not in known:
            own.update(policies.given({said.field: _said(declared, said)}, declared))
    return {**own, **known}, frozenset(own)


def _said(declared: Frame, said: Statement) -> Any:
    return said.value == "true" if declared.fields[said.field].type == "boolean" else said.value


def space(enterprise: Enterprise) -> Space:
    """Every policy in force, judged for one enterprise."""
    now = prepared()
    row, stated = row_of(enterprise, now.frame)
    return judged(now, enterprise, row, stated)


def judged(now: Prepared, enterprise: Enterprise, row: dict[str, Any], stated: frozenset[str]) -> Space:
    """The same, from what is known already."""
    full, _bad = filled_row(now.fields, row, now.day)
    cases = [_case(now, verdict, full, stated) for verdict in now.judge.explain(row)]
    worth = {c.pack.id: c.amount for c in cases if c.status is Status.ENTITLED and c.amount}
    return Space(enterprise, cases, best(worth, now.excluded), row, stated)


def _case(now: Prepared, verdict: Verdict, full: Mapping[str, Any], stated: frozenset[str]) -> Case:
    pack = now.packs[verdict.policy.id]
    words = {c["field"]: c for c in policies.conditions(pack.data, now.frame)[verdict.rule.id]}
    lines, missing = [], []
    for finding in verdict.findings:
        name = finding.condition.field.name
        below = _stored(now.frame, name)
        if finding.answer is None:
            missing += [n for n in below if full.get(n) is None and now.frame.asked(n)]
        shown = values.shown(finding.condition.field, finding.value) if finding.value is not None else ""
        own = OWN if set(below) & stated else finding.condition.field.source
        said = words[name]
        advice = finding.suggestion
        if advice and finding.answer is False and finding.condition.field.type not in ("number", "date"):
            advice = _("须满足：%(text)s") % {"text": said["text"]}
        value = _readable(now, name, finding.value, shown)
        lines.append(Line(said["text"], said["clause"], value, own, finding.answer, advice))
    amount = full.get(amount_field(pack.id))
    if amount is None and verdict.status is Status.ENTITLED:  # entitled, but not known to how much
        below = [n for n in _reads(pack.data["benefit"]["amount"]) for n in _stored(now.frame, n)]
        missing += [n for n in below if full.get(n) is None and now.frame.asked(n)]
    asked = tuple(dict.fromkeys(missing))
    return Case(pack, verdict.status, verdict.word, verdict.short, amount, lines, asked)


def _readable(now: Prepared, name: str, value: Any, shown: str) -> str:
    codes = now.frame.fields[name].codes
    if isinstance(value, bool):
        return _("是") if value else _("否")
    return f"{codes.names[value]}（{value}）" if codes and value in codes.names else shown


def _stored(declared: Frame, name: str) -> list[str]:
    """The stored fields below one."""
    if not declared.fields[name].derive:
        return [name]
    return [n for one in sorted(derived_sql.reads(declared.fields[name])) for n in _stored(declared, one)]


def stored(name: str) -> list[str]:
    """The stored fields below a declared one."""
    return _stored(prepared().frame, name)


def _reads(text: str) -> list[str]:
    from yiwang.kernel.feel import parse

    return sorted(parse(text).paths)
