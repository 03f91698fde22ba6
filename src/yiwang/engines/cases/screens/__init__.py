"""The officials' pages: the inbox and a case, the manager's overview, the rating desk."""

from .desk import act, bulk, case, file, flow, inbox, save_filter
from .manage import manage
from .ratings import ratings, rectify
from .reviews import review, review_file, to_review
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
    "review",
    "review_file",
    "save_filter",
    "to_review",
    "undertakings",
]
