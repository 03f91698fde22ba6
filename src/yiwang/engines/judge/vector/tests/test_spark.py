"""Spark counts what numpy and numba count. Skipped, with the reason, where Spark or Java is not there."""

import shutil

import numpy as np
import pytest

from yiwang.engines.judge.vector import matching
from yiwang.engines.judge.vector.plan import compile_plan
from yiwang.engines.judge.vector.tests.worlds import FIELDS, TODAY, arrow, policies

pytest.importorskip("pyspark", reason="pyspark is not installed (the extra `spark`)")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java, and there is none", allow_module_level=True)


def test_spark_gives_the_same_counts_and_pairs(tmp_path):
    import datetime
    import random
    from decimal import Decimal

    import pyarrow as pa
    import pyarrow.parquet as pq

    from yiwang.engines.judge.vector import spark

    draw = random.Random(4)
    judged = [
        {
            "money": draw.choice([None, Decimal("3.33"), Decimal("-5"), Decimal("1000")]),
            "cost": draw.choice([None, Decimal("1.00"), Decimal("0")]),
            "people": draw.choice([None, 0, 1, 5, 6]),
            "name": draw.choice([None, "甲", "乙"]),
            "region": draw.choice([None, "370102", "3702"]),
            "good": draw.choice([None, True, False]),
            "since": draw.choice([None, datetime.date(2025, 11, 25), datetime.date(1969, 12, 31)]),
        }
        for _ in range(500)
    ]
    data = arrow(judged)
    found = policies(
        [
            [
                {"money": {"test": ">= 3"}, "region": {"test": 'starts with(?, "3701")'}},
                {"good": {"test": "not(true)"}},
            ],
            [{"ratio": {"test": "> 0.1, null"}, "since": {"test": '<= today - duration("P1Y")'}}],
            [{"people": {"test": "> money"}, "name": {"test": 'not("甲")'}}],
        ]
    )
    plan = compile_plan(found, FIELDS)
    path = tmp_path / "rows.parquet"
    plain = data.set_column(data.schema.get_field_index("region"), "region", data["region"].cast(pa.string()))
    pq.write_table(plain.append_column("id", pa.array(np.arange(500))), path)
    session = spark.local_session()
    try:
        frame = session.read.parquet(str(path)).repartition(3)
        assert spark.count(frame, plan, FIELDS, TODAY) == matching.counts(plan, data, FIELDS, TODAY, "numpy")
        got = sorted(
            (row["id"], row["rule"]) for row in spark.pairs(frame, plan, FIELDS, "id", TODAY).collect()
        )
        rows, rules = matching.pairs(plan, data, FIELDS, TODAY, "numpy")
        assert got == list(zip(rows.tolist(), rules.tolist(), strict=True))
    finally:
        session.stop()
