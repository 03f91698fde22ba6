"""Changed rows laid over a register: every verb gives what a register written anew would give."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yiwang.engines.judge.vector.effect import Axis, effect
from yiwang.engines.judge.vector.plan import compile_plan
from yiwang.engines.judge.vector.source import Source
from yiwang.engines.judge.vector.tests.worlds import FIELDS, TODAY, arrow, policies, rows, tables

LOOSE = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@LOOSE
@given(tables, rows, rows, st.data())
def test_counts_pairs_near_misses_and_effects_are_those_of_one_file(tmp_path, table, base, fresh, data):
    hidden = sorted(data.draw(st.sets(st.integers(0, len(base) - 1)))) if base else []
    paths = [tmp_path / name for name in ("base.parquet", "over.parquet", "whole.parquet")]
    plain = [arrow(base), arrow(fresh)]
    keep = np.ones(len(base), bool)
    keep[hidden] = False
    whole = pa.concat_tables([plain[0].filter(pa.array(keep)), plain[1]]).unify_dictionaries()
    for path, one in zip(paths, [*plain, whole], strict=True):
        pq.write_table(one, path, row_group_size=3)
    one = Source(paths[2], FIELDS, None, TODAY, workers=1)
    two = Source(
        paths[0], FIELDS, tmp_path / "codes", TODAY, workers=1, over=paths[1], hidden=np.array(hidden)
    )
    found = policies(table)
    plan = compile_plan(found, FIELDS)
    for _ in range(2):  # the second time from the cache
        assert two.count(plan) == one.count(plan)
        assert [n.tolist() for n in two.near(plan)] == [n.tolist() for n in one.near(plan)]
        axes = [Axis("region", 4), Axis("name")]
        assert effect(two, found[0], found[-1], axes, "1") == effect(one, found[0], found[-1], axes, "1")
    place = [n for n in range(len(base)) if n not in hidden] + [len(base) + n for n in range(len(fresh))]
    met = lambda source, at: {  # noqa: E731
        (at(int(r)), int(k)) for rs, ks in source.pairs(plan) for r, k in zip(rs, ks, strict=True)
    }
    assert met(two, lambda r: r) == met(one, lambda r: place[r])


def test_a_changed_file_of_changes_keeps_the_codes_of_the_rest(tmp_path):
    blank = dict.fromkeys(["money", "cost", "name", "region", "good", "since"])
    many = arrow([{**blank, "people": p} for p in (7, 3, 0, None)])
    pq.write_table(many, tmp_path / "base.parquet")
    plan = compile_plan(policies([[{"people": {"test": "> 2"}}]]), FIELDS)
    kept = []
    for people in (9, 1):
        pq.write_table(arrow([{**blank, "people": people}]), tmp_path / "over.parquet")
        source = Source(
            tmp_path / "base.parquet", FIELDS, tmp_path / "codes", TODAY, over=tmp_path / "over.parquet",
            hidden=np.array([0]),
        )  # fmt: skip
        assert source.count(plan).policies == {"p0": 2 if people == 9 else 1}
        assert source.count(plan).rows == 4
        kept.append({f: f.stat().st_mtime_ns for f in (tmp_path / "codes").rglob("*.codes")})
    assert kept[0] == kept[1] and len(kept[0]) == 1
