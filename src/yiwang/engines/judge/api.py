"""What others import from the judge engine, besides the decision models in `dmn`. No Django.

One enterprise: `Judge(policies, fields, as_of).explain(row)`.
Every enterprise: `Source(paths, fields, cache, as_of)`, `compile_plan(policies, fields, source.cuts())`, then
`source.count(plan)`, `source.pairs(plan)`, `source.near(plan)`, `effect(source, edited, published, axes, amount)`.
Changed enterprises: `match_table(plan, arrow_table, fields, as_of)`.
Before publication: `analyse(policy)`, `overlaps(policies)`, `policy.scalar_only()`.
A FEEL condition over several fields, such as an acceptance condition: `condition_table(…)` makes it a policy.
See docs/reference/judge.md.
"""

from __future__ import annotations

from yiwang.engines.judge.analysis import Finding, analyse, analyse_model, analyse_table, overlaps
from yiwang.engines.judge.conditions import condition_table, joined
from yiwang.engines.judge.rules import (
    Codes,
    Condition,
    Field,
    Fields,
    Judge,
    NotARule,
    Policy,
    Problem,
    Rule,
    Status,
    Verdict,
    load_fields,
    load_policy,
)
from yiwang.engines.judge.rules.cuts import Kit
from yiwang.engines.judge.rules.derived import filled as filled_row
from yiwang.engines.judge.vector.effect import Axis, Effect, Group, effect
from yiwang.engines.judge.vector.encode import WrongColumn
from yiwang.engines.judge.vector.matching import Counts
from yiwang.engines.judge.vector.matching import counts as count_table
from yiwang.engines.judge.vector.matching import labels as label_table
from yiwang.engines.judge.vector.matching import pairs as match_table
from yiwang.engines.judge.vector.plan import Plan, TooFine, compile_plan
from yiwang.engines.judge.vector.source import Source

__all__ = [
    "Axis",
    "Codes",
    "Condition",
    "Counts",
    "Effect",
    "Field",
    "Fields",
    "Finding",
    "Group",
    "Judge",
    "Kit",
    "NotARule",
    "Plan",
    "Policy",
    "Problem",
    "Rule",
    "Source",
    "Status",
    "TooFine",
    "Verdict",
    "WrongColumn",
    "analyse",
    "analyse_model",
    "analyse_table",
    "compile_plan",
    "condition_table",
    "count_table",
    "effect",
    "filled_row",
    "joined",
    "label_table",
    "load_fields",
    "load_policy",
    "match_table",
    "overlaps",
]
