"""Decision tables (DMN 1.5 §8): which rules hit, and what the hit policy makes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.place import Place, null
from yiwang.kernel.feel import UnaryTests, builtins
from yiwang.kernel.feel.compiler import Code
from yiwang.kernel.feel.evaluation import Run, Scope
from yiwang.kernel.feel.types import Type
from yiwang.kernel.feel.values import equal, identity, kind, kind_zh


@dataclass(frozen=True, slots=True)
class _Column:
    """An input column."""

    label: str
    value: Code
    type: Type | None
    values: UnaryTests | None


@dataclass(frozen=True, slots=True)
class _Result:
    """An output column."""

    name: str
    type: Type | None
    values: UnaryTests | None
    default: Code | None


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    tests: tuple[UnaryTests, ...]
    outputs: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class _Hit:
    number: int
    values: tuple[Any, ...]


def table(expression: c.Table, place: Place) -> Code:
    """The code of a decision table; null with a reason when it is malformed."""
    columns = tuple(_column(one, place) for one in expression.inputs)
    results = tuple(_result(one, place) for one in expression.outputs)
    rows: list[_Row] = []
    for number, rule in enumerate(expression.rules, 1):
        tests = tuple(place.tests(cell.text, cell.id or rule.id, cell.language) for cell in rule.inputs)
        whole = tuple(test for test in tests if test)
        if len(whole) != len(columns) or len(rule.outputs) != len(results) or not results:
            place.report(rule.id or expression.id, f"第 {number} 条规则不能用", "请改正它的格")
            return null(f"决策表的第 {number} 条规则写错了，整张表不能用")
        outputs = tuple(
            place.expression(cell.text, cell.id or rule.id, cell.language) for cell in rule.outputs
        )
        rows.append(_Row(number, whole, outputs))
    if not results:
        place.report(expression.id, "决策表没有输出列", "请补上")
        return null("决策表没有输出列")
    return _Table(columns, results, tuple(rows), expression.hit_policy, expression.aggregation).value


def _column(one: c.Input, place: Place) -> _Column:
    literal = one.expression
    values = place.tests(one.values.text, one.values.id, one.values.language) if one.values else None
    label = one.label or literal.text
    code = place.expression(literal.text, literal.id, literal.language)
    return _Column(label, code, place.type(literal.type_ref, literal.id), values)


def _result(one: c.Output, place: Place) -> _Result:
    type_ = place.type(one.type_ref, "")
    values = place.tests(one.values.text, one.values.id, one.values.language) if one.values else None
    if values is None and type_ is not None:
        values = place.types.allowed_values(one.type_ref)
    default = one.default
    code = place.expression(default.text, default.id, default.language) if default and default.text else None
    return _Result(one.name, type_, values, code)


class _Table:
    """A compiled table."""

    def __init__(
        self,
        columns: tuple[_Column, ...],
        results: tuple[_Result, ...],
        rows: tuple[_Row, ...],
        policy: str,
        aggregation: str | None,
    ) -> None:
        self.columns = columns
        self.results = results
        self.rows = rows
        self.policy = policy
        self.aggregation = aggregation

    def value(self, run: Run, scope: Scope) -> Any:
        inputs = []
        for column in self.columns:
            value = run.coerced(f"输入「{column.label}」", column.value(run, scope), column.type)
            if column.values is not None and not _among(run, column.values, value, scope):
                return run.null(f"输入「{column.label}」的值不在允许的取值 {column.values.text} 之内")
            inputs.append(value)
        rows = self._hit_rows(run, inputs, scope)
        if not rows:
            return self._nothing(run, scope)
        hits = []
        for row in rows:
            hit = self._hit(run, row, scope)
            if hit is None:
                return None
            hits.append(hit)
        return _POLICIES[self.policy](self, run, scope, hits)

    def _hit_rows(self, run: Run, inputs: list[Any], scope: Scope) -> list[_Row]:
        found = []
        for row in self.rows:
            run.tick()
            if all(
                test.meets(run, value, scope) is True for test, value in zip(row.tests, inputs, strict=True)
            ):
                found.append(row)
                if self.policy == "F":
                    break
        return found

    def _hit(self, run: Run, row: _Row, scope: Scope) -> _Hit | None:
        values = []
        for result, code in zip(self.results, row.outputs, strict=True):
            what = (
                f"第 {row.number} 条规则的输出「{result.name}」"
                if result.name
                else f"第 {row.number} 条规则的输出"
            )
            value = run.coerced(what, code(run, scope), result.type)
            if value is not None and result.values is not None:
                if _allowed(run, result.values, value, scope) is None:
                    run.null(f"{what}不在允许的取值 {result.values.text} 之内")
                    return None
            values.append(value)
        return _Hit(row.number, tuple(values))

    def _shown(self, values: tuple[Any, ...]) -> Any:
        if len(self.results) == 1:
            return values[0]
        return {result.name: value for result, value in zip(self.results, values, strict=True)}

    def _nothing(self, run: Run, scope: Scope) -> Any:
        """No rule hit: the default outputs, or what the policy makes of nothing."""
        if any(result.default for result in self.results):
            values = tuple(
                run.coerced("默认输出", result.default(run, scope), result.type) if result.default else None
                for result in self.results
            )
            shown = self._shown(values)
            return [shown] if self.policy in "CRO" and not self.aggregation else shown
        run.null("决策表没有规则命中")
        if self.aggregation == "#":
            return Decimal(0)
        return [] if self.policy in "CRO" and not self.aggregation else None

    # Hit policies

    def unique(self, run: Run, _scope: Scope, hits: list[_Hit]) -> Any:
        if len(hits) > 1:
            return run.null(f"只应有一条规则命中（UNIQUE），却有第 {_numbers(hits)} 条")
        return self._shown(hits[0].values)

    def any(self, run: Run, _scope: Scope, hits: list[_Hit]) -> Any:
        first = list(hits[0].values)
        if any(equal(list(hit.values), first) is not True for hit in hits):
            return run.null(f"命中的规则结果应相同（ANY），第 {_numbers(hits)} 条却不同")
        return self._shown(hits[0].values)

    def first(self, _run: Run, _scope: Scope, hits: list[_Hit]) -> Any:
        return self._shown(hits[0].values)

    def priority(self, run: Run, scope: Scope, hits: list[_Hit]) -> Any:
        return self._shown(self._by_priority(run, scope, hits)[0].values)

    def output_order(self, run: Run, scope: Scope, hits: list[_Hit]) -> Any:
        return [self._shown(hit.values) for hit in self._by_priority(run, scope, hits)]

    def _by_priority(self, run: Run, scope: Scope, hits: list[_Hit]) -> list[_Hit]:
        """Hits in the order of the output values, the first column first (§8.2.8)."""

        def rank(hit: _Hit) -> tuple[int, ...]:
            ranks = []
            for result, value in zip(self.results, hit.values, strict=True):
                place = _allowed(run, result.values, value, scope) if result.values is not None else 0
                ranks.append(len(self.rows) + 1_000_000 if place is None else place)
            return tuple(ranks)

        return sorted(hits, key=rank)

    def collect(self, run: Run, _scope: Scope, hits: list[_Hit]) -> Any:
        if self.aggregation is None:
            return [self._shown(hit.values) for hit in hits]
        if self.aggregation == "#":
            return Decimal(len({identity(list(hit.values)) for hit in hits}))
        totals = [self._aggregated(run, [hit.values[i] for hit in hits]) for i in range(len(self.results))]
        return self._shown(tuple(totals))

    def _aggregated(self, run: Run, values: list[Any]) -> Any:
        name = {"+": "sum", "<": "min", ">": "max"}[self.aggregation or "+"]
        try:
            return builtins.call(name, [values], ())
        except (builtins.Unfit, ValueError, ArithmeticError) as error:
            kinds = "、".join(sorted({kind_zh(kind(value)) for value in values}))
            return run.null(f"命中的结果（{kinds}）不能汇总：{error}")


_POLICIES: dict[str, Callable[[_Table, Run, Scope, list[_Hit]], Any]] = {
    "U": _Table.unique,
    "A": _Table.any,
    "F": _Table.first,
    "P": _Table.priority,
    "O": _Table.output_order,
    "R": _Table.collect,
    "C": _Table.collect,
}


def _among(run: Run, values: UnaryTests, value: Any, scope: Scope) -> bool:
    """Whether an input is one of the input values; of a list, whether each item is."""
    if values.meets(run, value, scope) is True:
        return True
    return type(value) is list and all(values.meets(run, item, scope) is True for item in value)


def _allowed(run: Run, values: UnaryTests, value: Any, scope: Scope) -> int | None:
    """The place of a value among the output values; None when it is not one of them."""
    return values.first_met(run, value, scope)


def _numbers(hits: list[_Hit]) -> str:
    return "、".join(str(hit.number) for hit in hits)
