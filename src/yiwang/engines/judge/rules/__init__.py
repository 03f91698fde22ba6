"""Rule tables: canonical form, loading, one enterprise with a full explanation. Pure. See README.md."""

from yiwang.engines.judge.rules.contracts import (
    Codes,
    Condition,
    Field,
    Fields,
    NotARule,
    Policy,
    Problem,
    Rule,
)
from yiwang.engines.judge.rules.loading import load_fields, load_policy
from yiwang.engines.judge.rules.scalar import Finding, Judge, Status, Verdict

__all__ = [
    "Codes",
    "Condition",
    "Field",
    "Fields",
    "Finding",
    "Judge",
    "NotARule",
    "Policy",
    "Problem",
    "Rule",
    "Status",
    "Verdict",
    "load_fields",
    "load_policy",
]
