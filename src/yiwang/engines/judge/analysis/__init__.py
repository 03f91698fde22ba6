"""Rule tables before they are published: overlaps, conflicts, gaps, rules never reached. Pure. See README.md."""

from yiwang.engines.judge.analysis.models import analyse_model, analyse_table
from yiwang.engines.judge.analysis.tables import KINDS, Finding, analyse, overlaps

__all__ = ["KINDS", "Finding", "analyse", "analyse_model", "analyse_table", "overlaps"]
