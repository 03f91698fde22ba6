"""What other rooms use of collection. Nothing else here is for them.

Reading leaves a trace: ``versions``, ``as_of`` and ``of_subject`` write who looked, for what, in the same
transaction. Bulk readers (link, grade) are jobs of the system: tables by ``owner_connection`` and ``table``, the
lake by ``lake_table``.
"""

from .actions import (
    REPORTER,
    STEWARD,
    OutOfStep,
    append,
    begin,
    by_system,
    is_steward,
    nothing_new,
    office_of,
    push,
    receive,
)
from .checking import check
from .collect import connect as owner_connection
from .collect import lake_root
from .collect import work_once as collect_once
from .contracts import Dataset, Field, Message, Mode, NotReadable
from .datasets import current, every, find
from .describing import openapi, record_schema
from .models import Delivery, Holding, Quality, State
from .publishing import TOUCHED, count_touched, large_since
from .queries import (
    as_of,
    deliveries,
    delivery,
    line,
    may_see,
    messages,
    of_subject,
    overview,
    versions,
    visible,
)
from .sharing.actions import in_force
from .sharing.queries import exported as catalogue_of
from .sharing.queries import grants_behind, grants_of, used_today
from .sharing.reading import BadPlace, NoGrant, Over, Unsettled, has_grant, stream
from .sharing.reading import page as granted
from .standing import in_time_by, is_late, is_overdue, offices_of
from .tables import SCHEMA, exists, is_empty, table
from .territory import bound_for
from .words import said

__all__ = [
    "REPORTER", "SCHEMA", "STEWARD", "TOUCHED", "BadPlace", "Dataset", "Delivery", "Field", "Holding", "Message",
    "Mode", "NoGrant", "NotReadable", "OutOfStep", "Over", "Quality", "State", "Unsettled", "append", "as_of",
    "begin", "bound_for", "by_system", "catalogue_of", "check", "collect_once", "count_touched", "current",
    "deliveries", "delivery", "every", "exists", "find", "granted", "grants_behind", "grants_of", "has_grant",
    "in_force", "in_time_by", "is_empty", "is_late", "is_overdue", "is_steward", "lake_root", "large_since",
    "line", "may_see", "messages", "nothing_new", "of_subject", "office_of", "offices_of", "openapi", "overview",
    "owner_connection", "push", "receive", "record_schema", "said", "stream", "table", "used_today", "versions",
    "visible",
]  # fmt: skip
