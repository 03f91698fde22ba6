"""Pages of policies: for everyone and for enterprises; for the departments."""

from .department import answer, begin, decide, draft, make_list, policies, round_of
from .enterprise import answer_wish, apply, data, guide, library, mine, object_to, publicity, subscribe

__all__ = [
    "answer", "answer_wish", "apply", "begin", "data", "decide", "draft", "guide", "library", "make_list", "mine",
    "object_to", "policies", "publicity", "round_of", "subscribe",
]  # fmt: skip
