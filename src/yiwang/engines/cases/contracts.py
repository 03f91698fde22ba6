"""The nouns of cases. The public status is a projection with a few legal milestones; the flow is internal.

No Django here: ``words.py`` says the same in the words of the screen.
"""

from enum import StrEnum

PURPOSE = "办理政务服务事项"
"""What cases look registers up for; each register's pack lists it or refuses."""


class Status(StrEnum):
    """Legal milestones, in order."""

    WAITING = "waiting"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REVIEWED = "reviewed"
    DECIDED = "decided"
    ISSUED = "issued"
    CLOSED = "closed"


class Phase(StrEnum):
    """Whether work goes on."""

    WAITING = "waiting"
    OPEN = "open"
    SUPPLEMENT = "supplement"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Result(StrEnum):
    """How a case ended."""

    GRANTED = "granted"
    DENIED = "denied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"
    DONE = "done"  # of a matter: what was to be done is done
    FAILED = "failed"


RATING_LEVELS = range(1, 6)
"""Five, from 非常不满意 to 非常满意 (国办发〔2019〕51号)."""
