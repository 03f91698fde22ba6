"""The officials' pages: the inbox and a case, the manager's overview, the rating desk."""

from .desk import act, bulk, case, file, flow, inbox, save_filter
from .manage import manage
from .ratings import ratings, rectify

__all__ = [
    "act",
    "bulk",
    "case",
    "file",
    "flow",
    "inbox",
    "manage",
    "ratings",
    "rectify",
    "save_filter",
]
