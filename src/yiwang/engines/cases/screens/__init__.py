"""The officials' pages: the inbox and a case, the manager's overview, the rating desk."""

from .desk import act, bulk, case, file, flow, inbox, save_filter
from .manage import manage
from .ratings import ratings, rectify
from .undertakings import check_undertaking, undertakings

__all__ = [
    "act",
    "bulk",
    "case",
    "check_undertaking",
    "file",
    "flow",
    "inbox",
    "manage",
    "ratings",
    "rectify",
    "save_filter",
    "undertakings",
]
