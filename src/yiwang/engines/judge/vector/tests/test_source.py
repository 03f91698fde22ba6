"""The province in Parquet: the same as in memory, by one scan or from cached codes, and what an edit does."""

from decimal import Decimal

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.engines.judge.rules import derived
from yiwang.engines.judge.vector import matching
from yiwang.engines.judge.vector.effect import Axis, effect
from yiwang.engines.judge.vector.plan import compile_plan
from yiwang.engines.judge.vector.source import Source
from yiwang.engines.judge.vector.tests.worlds import FIELDS, TODAY, VALUES, arrow, policies, tables


def province(folder, judged, rows_in_group=7):
    path = folder / "entities.parquet"
    pq.write_table(arrow(judged), path, row_group_size=rows_in_group)
    return path


many = st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=30)


@settings(max_examples=20, deadline=None)
@given(tables, tables, many)
def test_parquet_gives_what_memory_gives(tmp_path_factory, table, other, judged):
    folder = tmp_path_factory.mktemp("province")
    path = province(folder, judged)
    data = arrow(judged)
    for source in (
        Source(path, FIELDS, None, TODAY),
        Source(path, FIELDS, folder / "cache", TODAY, fast=False),
    ):
        for found in (policies(table), policies(table), policies(other), policies(table)):
            plan = compile_plan(found, FIELDS, source.cuts())
            assert source.count(plan) == matching.counts(compile_plan(found, FIELDS), data, FIELDS, TODAY)
        rows, rules = (np.concatenate(part) for part in zip(*source.pairs(plan), strict=True))
        wanted = matching.pairs(plan, data, FIELDS, TODAY)
        assert (rows.tolist(), rules.tolist()) == (wanted[0].tolist(), wanted[1].tolist())


@settings(max_examples=20, deadline=None)
@given(tables, tables, many)
def test_an_edit_gains_and_loses_whom_it_should(tmp_path_factory, table, other, judged):
    folder = tmp_path_factory.mktemp("province")
    source = Source(province(folder, judged), FIELDS, folder / "cache", TODAY)
    edited, published = policies(table)[0], policies(other)[0]
    got = effect(source, edited, published, [Axis("region", 4), Axis("name")], "min(cost, 100) * 2")
    data = arrow(judged)
    new, old = (
        {int(r) for r in matching.pairs(compile_plan([one], FIELDS), data, FIELDS, TODAY)[0]}
        for one in (edited, published)
    )
    assert (got.entitled, got.before, got.gained, got.lost) == (
        len(new),
        len(old),
        len(new - old),
        len(old - new),
    )
    groups = {}
    for row in new:
        key = ((judged[row]["region"] or "")[:4], judged[row]["name"] or "")
        groups[key] = groups.get(key, 0) + 1
    assert {g.key: g.entitled for g in got.groups if g.entitled} == groups
    costs = [judged[row]["cost"] for row in new]
    assert got.cost == sum((min(c, Decimal(100)) * 2 for c in costs if c is not None), Decimal(0))
    assert got.unknown == sum(c is None for c in costs)


def test_only_columns_whose_cuts_changed_are_encoded_anew(tmp_path):
    path = province(tmp_path, [dict.fromkeys(VALUES) | {"people": n, "money": n} for n in range(20)])
    source = Source(path, FIELDS, tmp_path / "cache", TODAY)

    def files():
        return {file.name for file in tmp_path.rglob("*.codes")}

    source.prepare(compile_plan(policies([[{"people": {"test": "> 5"}, "money": {"test": "> 5"}}]]), FIELDS))
    first = files()
    same = compile_plan(policies([[{"people": {"test": "<= 5"}}]]), FIELDS, source.cuts())
    assert source.count(same).policies == {"p0": 6}
    assert files() == first
    other = compile_plan(policies([[{"people": {"test": "<= 6"}}]]), FIELDS, source.cuts())
    assert source.count(other).policies == {"p0": 7}
    assert len(files() - first) == 1


DERIVED = st.sampled_from(
    [
        *("cost / money", "money / cost * 100", "cost - money", "money * 3 / 7", "-cost / 3 + 0.5"),
        *("if money > 0 then cost / money else null", "if people = null then 1 else people / 8"),
        *("min(cost, money, 1.5)", "max(people, money) / 3", "abs(cost) / 0.03", "money / people / 9"),
        *("cost / money + money / people", '(if name = "甲" or good then 1 else cost) / 7', "1 / 0"),
        *(
            "(today - since).days / 365",
            "if not(good) then 0.005 else 0.015",
            "if ratio >= 0.5 then ratio else 0",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(DERIVED, st.integers(0, 6), many)
def test_a_derived_feature_is_the_same_in_duckdb(text, scale, judged):
    from yiwang.engines.judge.rules import Fields
    from yiwang.engines.judge.rules.contracts import Field

    field = Field("made", "made", "number", scale, 14, derive=text)
    by_name = {**FIELDS.by_name, "made": field}
    problems = []
    fields = Fields(by_name, derived.ordered(by_name, "", problems))
    assert not problems
    got = matching.with_derived(arrow(judged), fields, {"made"}, TODAY).column("made").to_pylist()
    assert got == [derived.filled(fields, row, TODAY)[0]["made"] for row in judged]


def test_half_is_rounded_to_even_and_zero_divides_nothing():
    from yiwang.engines.judge.rules import load_fields

    fields = load_fields(
        {"a": {"type": "number"}, "b": {"type": "number"}, "c": {"type": "number", "derive": "a / b"}}
    )
    import pyarrow as pa

    held = pa.table({"a": [1, 3, -1, -3, 5, 1, None], "b": [2, 2, 2, 2, -2, 0, 1]})
    got = matching.with_derived(held, fields, {"c"}, None).column("c").to_pylist()
    assert got == [0, 2, 0, -2, -2, None, None]


def test_a_number_cannot_be_grouped_by(tmp_path):
    source = Source(province(tmp_path, [dict.fromkeys(VALUES)]), FIELDS)
    with pytest.raises(ValueError, match="只能按文本或代码分组"):
        source.axis("money")


def test_what_is_scalar_only_is_right_on_parquet_too(tmp_path):
    judged = [dict.fromkeys(VALUES) | {"people": n, "money": 10, "cost": Decimal("0.50")} for n in range(20)]
    source = Source(province(tmp_path, judged), FIELDS, tmp_path / "cache", TODAY)
    edited, published = policies([[{"people": {"test": "> money"}}], [{"people": {"test": ">= money"}}]])
    assert edited.scalar_only()
    plan = compile_plan([edited, published], FIELDS)
    assert source.count(plan).policies == {"p0": 9, "p1": 10}
    rows, rules = (np.concatenate(part) for part in zip(*source.pairs(plan), strict=True))
    assert rows[rules == 0].tolist() == list(range(11, 20))
    got = effect(source, edited, published, [], "cost * 4")
    assert (got.entitled, got.before, got.gained, got.lost) == (9, 10, 0, 1)
    assert (got.cost, got.cost_before) == (Decimal(18), Decimal(20))


def test_a_damaged_cache_and_an_old_register_do_no_harm(tmp_path):
    judged = [dict.fromkeys(VALUES) | {"people": n} for n in range(20)]
    path = province(tmp_path, judged)
    plan = compile_plan(policies([[{"people": {"test": "> 5"}}]]), FIELDS)
    Source(path, FIELDS, tmp_path / "cache", TODAY).count(plan)
    for file in tmp_path.rglob("*.codes"):
        file.write_bytes(b"x")
    assert Source(path, FIELDS, tmp_path / "cache", TODAY).count(plan).policies == {"p0": 14}
    for more in range(21, 25):
        judged.append(dict.fromkeys(VALUES) | {"people": more})
        path = province(tmp_path, judged)
        source = Source(path, FIELDS, tmp_path / "cache", TODAY)
        assert source.count(plan).policies == {"p0": len(judged) - 6}
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_an_amount_outside_the_subset_is_refused(tmp_path):
    from yiwang.engines.judge.rules import NotARule

    source = Source(province(tmp_path, [dict.fromkeys(VALUES)]), FIELDS, None, TODAY)
    [one] = policies([[{"people": {"test": "> 5"}}]])
    with pytest.raises(NotARule, match="金额公式：派生指标「yw_amount」：「sqrt"):
        effect(source, one, None, [], "sqrt(cost)")
