"""Commands on a case. One function, one transaction: the change, its hash-chained event, its outbox rows.

Every command carries an id made by whoever gives it (a form's nonce, an offline phone, a timer). The same
id again changes nothing and reports the same success: a double click or a retry is applied once.
A command that cannot be applied raises ``Refused`` with a sentence for the person; nothing is written.
"""

from .applicant import answer_supplement, hold_supplement, withdraw
from .managing import assign, escalate, transfer
from .moving import AlreadyChanged, NotThere, begin
from .officials import (
    approve_extension,
    complete,
    request_extension,
    request_supplement,
    resume,
    suspend,
)
from .steps import visit_words
from .system import finish_service, fire_timer, mark_overdue, recompute_due, start, stop_waiting

__all__ = [
    "AlreadyChanged",
    "NotThere",
    "answer_supplement",
    "approve_extension",
    "assign",
    "begin",
    "complete",
    "escalate",
    "finish_service",
    "fire_timer",
    "hold_supplement",
    "mark_overdue",
    "recompute_due",
    "request_extension",
    "request_supplement",
    "resume",
    "start",
    "stop_waiting",
    "suspend",
    "transfer",
    "visit_words",
    "withdraw",
]
