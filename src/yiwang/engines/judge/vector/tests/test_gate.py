"""The release gate: scalar, numpy, numba and DuckDB give the same answers on generated tables and rows."""

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings

from yiwang.engines.judge.rules import Judge, derived, derived_sql, sql
from yiwang.engines.judge.vector import encode, kernels, matching
from yiwang.engines.judge.vector.plan import compile_plan
from yiwang.engines.judge.vector.tests.worlds import FIELDS, TODAY, arrow, policies, rows, tables

BACKENDS = ["numpy", *(["numba"] if kernels.fast() else [])]
GATE = settings(max_examples=150, deadline=None)


def expected(found, judged):
    """Per row and rule: True, False, None by the FEEL evaluator itself, one cell after the other."""
    answers = []
    for given_row in judged:
        row, _ = derived.filled(FIELDS, given_row, TODAY)
        for policy in found:
            for rule in policy.rules:
                each = [c.cell.answer(row[c.field.name], row) for c in rule.conditions]
                answers.append(False if False in each else None if None in each else True)
    return answers


@GATE
@given(tables, rows)
def test_scalar_and_vector_agree_on_true_and_on_not_false(table, judged):
    found = policies(table)
    plan = compile_plan(found, FIELDS)
    assert not len(plan.unsettled)
    data = matching.ready(plan, arrow(judged), FIELDS, TODAY)
    wanted = expected(found, judged)
    many = len(plan.slots)
    for name in BACKENDS:
        codes = encode.table_codes(plan.columns, data, name == "numba")
        kernel = kernels.backend(name)
        for possible in (False, True):
            at, rule = kernel.pairs(plan, codes, possible)
            got = set((at * many + rule).tolist())
            assert got == {i for i, a in enumerate(wanted) if a is True or (possible and a is None)}
        per_rule, per_policy = kernel.count(plan, codes)
        grid = np.array([a is True for a in wanted], bool).reshape(len(judged), many)
        assert per_rule.tolist() == grid.sum(0).tolist()
        assert per_policy.tolist() == [
            int(grid[:, plan.policy_of == p].any(1).sum()) for p in range(len(found))
        ]


@GATE
@given(tables, rows)
def test_counts_are_those_of_sql(table, judged):
    found = policies(table)
    plan = compile_plan(found, FIELDS)
    data = arrow(judged)
    got = matching.counts(plan, data, FIELDS, TODAY)
    with duckdb.connect() as connection:
        connection.register("t", data)
        base = derived_sql.select(FIELDS, "t", TODAY)
        for policy in found:
            query = f"SELECT count(*) FROM ({base}) WHERE {sql.where(policy)}"
            assert connection.execute(query).fetchone()[0] == got.policies[policy.id], query


@GATE
@given(tables, rows)
def test_statuses_and_near_misses_agree(table, judged):
    found = policies(table)
    plan = compile_plan(found, FIELDS)
    data = matching.ready(plan, arrow(judged), FIELDS, TODAY)
    judge = Judge(found, FIELDS, TODAY)
    entitled = dict.fromkeys((p.id for p in found), 0)
    near = np.zeros((2, len(plan.slots)), int)
    for given_row in judged:
        for verdict in judge.explain(given_row):
            entitled[verdict.policy.id] += verdict.status == "entitled"
        row, _ = derived.filled(FIELDS, given_row, TODAY)
        for k, slot in enumerate(plan.slots):
            each = [(c.cell.answer(row[c.field.name], row), c.hard) for c in slot.rule.conditions]
            short = [hard for answer, hard in each if answer is not True]
            near[0, k] += not short
            near[1, k] += len(short) == 1 and (False, False) in each
    assert matching.counts(plan, data, FIELDS, TODAY).policies == entitled
    for name in BACKENDS:
        codes = encode.table_codes(plan.columns, data, name == "numba")
        met, one = kernels.backend(name).near(plan, codes)
        assert (met.tolist(), one.tolist()) == (near[0].tolist(), near[1].tolist())


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_scalar_only_is_decided_row_by_row(backend):
    found = policies(
        [[{"people": {"test": "> money"}, "good": {"test": "true"}}], [{"people": {"test": "> 1"}}]]
    )
    data = arrow(
        [
            {"money": 1, "people": p, "good": g, "name": None, "region": None, "since": None, "cost": None}
            for p, g in [(2, True), (2, False), (0, True), (None, True)]
        ]
    )
    plan = compile_plan(found, FIELDS)
    assert plan.unsettled.tolist() == [0]
    assert matching.counts(plan, data, FIELDS, TODAY, backend).policies == {"p0": 1, "p1": 2}


def test_first_label():
    found = policies([[{"people": {"test": "> 5"}}, {"people": {"test": "> 1"}}, {}]])
    blank = dict.fromkeys(["money", "name", "region", "good", "since", "cost"])
    data = arrow([{**blank, "people": p} for p in (7, 3, 0, None)])
    assert matching.labels(compile_plan(found, FIELDS), data, FIELDS).tolist() == [0, 1, 2, 2]


def test_a_column_of_floats_is_refused_by_name():
    import pyarrow as pa

    plan = compile_plan(policies([[{"money": {"test": "> 1"}}]]), FIELDS)
    with pytest.raises(encode.WrongColumn, match=r"列「money」.*存为 double"):
        matching.counts(plan, pa.table({"money": [1.5]}), FIELDS)
    with pytest.raises(encode.WrongColumn, match="没有列「money」"):
        matching.counts(plan, pa.table({"x": [1]}), FIELDS)
