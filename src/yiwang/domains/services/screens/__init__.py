"""The resident's pages: find, be told, apply, follow, receive, rate."""

from .apply import apply, begin, check, paper, submit
from .consent import consent, waiting
from .find import can_i, service
from .numbers import decisions, numbers, numbers_csv
from .own import (
    case,
    complain,
    confirm,
    document,
    hand_in,
    inbox,
    list_cases,
    rate,
    settle,
    verify,
    withdraw,
)
from .supplement import supplement
from .window import handover, window, window_receipt, window_result

__all__ = [
    "apply",
    "begin",
    "can_i",
    "case",
    "check",
    "complain",
    "confirm",
    "consent",
    "decisions",
    "document",
    "hand_in",
    "handover",
    "inbox",
    "list_cases",
    "numbers",
    "numbers_csv",
    "paper",
    "rate",
    "service",
    "settle",
    "submit",
    "supplement",
    "verify",
    "waiting",
    "window",
    "window_receipt",
    "window_result",
    "withdraw",
]
