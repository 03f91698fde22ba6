"""When a flow's timer is due."""

from datetime import datetime, timedelta
from typing import Any

from yiwang.kernel import feel
from yiwang.kernel.calendar.api import due_from

from .flow import TimerArmed
from .items import Item


def timer_due(timer: TimerArmed, spec: Item, now: datetime) -> datetime:
    """The instant a timer fires.

    Its expression is FEEL over the item's limits: a duration (``duration("P3D")``), an ISO duration as
    BPMN modellers write it (``P3D``), or one of the names ``correction``, ``promised``, ``legal``, which
    count in the item's own units (working days, calendar days or hours).

    Raises:
        ValueError: the expression is none of these.
    """
    text = timer.expression.strip().lstrip("=").strip()
    named = {"correction": spec.correction, "promised": spec.promised, "legal": spec.legal}
    if text in named:
        limit = named[text]
        if limit is None:
            raise ValueError(f"timer {timer.node}: the item has no limit “{text}”")
        return due_from(limit, now)
    value: Any = feel.evaluate(f'duration("{text}")' if text.startswith("P") else text, {})
    if isinstance(value, timedelta):
        return now + value
    raise ValueError(f"timer {timer.node}: “{timer.expression}” is not a duration")
