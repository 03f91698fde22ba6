"""The same kernels inside Spark, over data that is there already (the extra `spark`; needs Java).

The plan is pickled to the tasks; each Arrow batch is encoded and matched as in `matching`. Texts arrive as plain
strings and are made dictionaries per batch. Conditions decided row by row are decided in the task.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from yiwang.engines.judge.rules.contracts import Fields
from yiwang.engines.judge.vector import matching
from yiwang.engines.judge.vector.plan import Plan

_COUNTS = "kind string, place long, n long"
_PAIRS = "id {id}, rule long"


def local_session(cores: int = 2) -> Any:
    """A Spark session on this machine, for tests and trials; a cluster's own session does as well.

    Raises:
        ImportError: pyspark is not installed (the extra `spark`).
        RuntimeError: there is no Java.
    """
    if shutil.which("java") is None:
        raise RuntimeError("没有找到 Java：Spark 需要 Java 17 或更高版本，请安装，或改用本机计算")
    from pyspark.sql import SparkSession

    return (
        SparkSession.builder.master(f"local[{cores}]")
        .config("spark.ui.enabled", "false")
        .config("spark.pyspark.python", sys.executable)
        .config("spark.executorEnv.PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "100000")
        .getOrCreate()
    )


def count(
    frame: Any, plan: Plan, fields: Fields, as_of: date | None = None, backend: str | None = None
) -> matching.Counts:
    """As `matching.counts`, of a Spark DataFrame."""
    names = matching.fields_read(plan, fields)

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        rows = 0
        rules, policies = np.zeros(len(plan.slots), np.int64), np.zeros(len(plan.policies), np.int64)
        for batch in batches:
            table = pa.Table.from_batches([batch])
            at, rule = matching.pairs(plan, table, fields, as_of, backend)
            per_rule, per_policy = matching.totals(plan, at, rule)
            rules += per_rule
            policies += per_policy
            rows += table.num_rows
        parts = [("rows", np.array([rows])), ("rule", rules), ("policy", policies)]
        for kind, found in parts:
            places = np.flatnonzero(found)
            yield pa.RecordBatch.from_arrays(
                [pa.array([kind] * len(places), pa.string()), pa.array(places), pa.array(found[places])],
                ["kind", "place", "n"],
            )

    total = frame.select(*names).mapInArrow(work, _COUNTS).groupBy("kind", "place").sum("n").collect()
    rules, policies, rows = np.zeros(len(plan.slots), np.int64), np.zeros(len(plan.policies), np.int64), 0
    for kind, place, n in total:
        if kind == "rows":
            rows = n
        else:
            (rules if kind == "rule" else policies)[place] = n
    return matching.named(plan, rows, rules, policies)


def pairs(frame: Any, plan: Plan, fields: Fields, id_column: str, as_of: date | None = None) -> Any:
    """A DataFrame (id, rule): the id of every row and the slot (`plan.slots`) of every rule it meets."""
    names = matching.fields_read(plan, fields)
    kind = frame.schema[id_column].dataType.simpleString()

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            table = pa.Table.from_batches([batch])
            rows, rules = matching.pairs(plan, table, fields, as_of)
            ids = table.column(id_column).take(pa.array(rows)).combine_chunks()
            yield pa.RecordBatch.from_arrays([ids, pa.array(rules)], ["id", "rule"])

    return frame.select(id_column, *(n for n in names if n != id_column)).mapInArrow(
        work, _PAIRS.format(id=kind)
    )
