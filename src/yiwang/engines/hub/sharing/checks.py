"""What is wrong with a request, field by field. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from yiwang.engines.hub.cells import value
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.masks import PERSONAL

from .contracts import Ask, Class, Condition, Fault, Rules, tests_of

SHORTEST = 10  # characters of a reason or a basis that say something


def faults(ask: Ask, dataset: Dataset, rules: Rules, today: date) -> list[Fault]:
    """Everything that is wrong with a request; empty when it can be put to the source.

    Args:
        today: the first day on which the grant could be used.
    """
    return [*_what(ask, dataset), *_why(ask, dataset), *_how_long(ask, rules, today)]


def _what(ask: Ask, dataset: Dataset) -> Iterator[Fault]:
    if dataset.sharing == Class.CLOSED:
        yield Fault("fields", f"“{dataset.name}”不予共享，不能申请。需要的，请与来源部门另行商定。")
    unknown = [f for f in ask.fields if f not in dataset.by_id]
    if unknown:
        yield Fault("fields", f"没有字段“{'、'.join(unknown)}”。请从列出的字段里选。")
    if not ask.fields:
        yield Fault("fields", "没有选字段。请至少选一个，只选办事用得着的。")
    extra = sorted(ask.plain - set(ask.fields))
    if extra:
        yield Fault("fields", f"“{'、'.join(extra)}”没有选，不能要求不脱敏。请先选这个字段。")
    for n, row in enumerate(ask.rows, 1):
        yield from _row(n, row, dataset)


def _row(n: int, row: Condition, dataset: Dataset) -> Iterator[Fault]:
    name = f"row{n}"
    if row.field not in dataset.by_id:
        yield Fault(name, f"第 {n} 个条件的字段“{row.field}”没有。请从列出的字段里选。")
        return
    f = dataset.field(row.field)
    if row.test not in tests_of(f):
        yield Fault(
            name,
            f"第 {n} 个条件：“{f.name}”不能这样比。"
            "文本和代码用“是”或“开头是”，数和日期用“是”“不早于/不小于”“不晚于/不大于”。",
        )
    elif not row.value.strip():
        yield Fault(name, f"第 {n} 个条件：“{f.name}”没有填值。请填上，或去掉这个条件。")
    elif row.test != "starts" and value(f, row.value.strip()) is None:
        yield Fault(
            name,
            f"第 {n} 个条件：“{f.name}”的值“{row.value}”读不懂。日期写 2026-05-20，数只写数字，代码照代码表。",
        )
    elif row.test == "is" and f.codes and row.value.strip() not in f.codes:
        told = "、".join(sorted(f.codes)[:8]) + ("……" if len(f.codes) > 8 else "")
        yield Fault(
            name, f"第 {n} 个条件：“{f.name}”没有代码“{row.value.strip()}”。请照代码表填，例如 {told}。"
        )


def _why(ask: Ask, dataset: Dataset) -> Iterator[Fault]:
    if ask.purpose not in dataset.purposes:
        yield Fault("purpose", f"用途“{ask.purpose}”不在允许之列。可选：{'、'.join(dataset.purposes)}。")
    for name, text, what in (("basis", ask.basis, "依据"), ("reasons", ask.reasons, "理由")):
        if len(text.strip()) < SHORTEST:
            told = "写明法律法规或“三定”的名称和条款" if name == "basis" else "写明办什么事、为什么非用不可"
            yield Fault(name, f"{what}太短，来源部门没法判断。请{told}，不少于 {SHORTEST} 个字。")


def _how_long(ask: Ask, rules: Rules, today: date) -> Iterator[Fault]:
    last = today + timedelta(days=rules.longest)
    if ask.until is None:
        yield Fault("until", f"到期日读不懂。请写成 {last:%Y-%m-%d} 这样，最晚就是这一天。")
    elif not today <= ask.until <= last:
        yield Fault(
            "until",
            f"到期日 {ask.until:%Y-%m-%d} 应在 {today:%Y-%m-%d} 和 {last:%Y-%m-%d} 之间。用得更久的，到期前续期。",
        )
    if ask.daily is None or not 1 <= ask.daily <= rules.most_daily:
        yield Fault("daily", f"每天的条数应是 1 到 {rules.most_daily} 的整数。")


def masked(fields: Collection[str], plain: Collection[str], dataset: Dataset) -> frozenset[str]:
    """Those of ``fields`` whose values are masked: personal ones, unless they are in ``plain`` or part of the key."""
    hidden = {f.id for f in dataset.fields if f.level in PERSONAL}
    return frozenset(hidden.intersection(fields).difference(plain, dataset.key))
