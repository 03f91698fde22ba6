"""What the machine reads and returns. All immutable; state goes to PostgreSQL and back as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Token:
    """A place where the case stands.

    kind says who moves it on: "user" a person; "service" a worker; "message" a message; "timer" a timer;
    "event" the first of several events (event gateway); "case" the child case. The machine itself moves
    "join" (waits for other branches), "scope" (a sub-process runs inside) and "multi" (instances run).
    """

    id: int
    node: str
    scope: int
    kind: str
    via: str | None = None
    """For a join: the sequence flow it came by."""
    owner: int | None = None
    """For an instance of a multi-instance activity: its "multi" token."""
    index: int | None = None
    item: Any = None
    items: tuple[Any, ...] | None = None
    """For a "multi" token: all items; `done` of them are finished."""
    done: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """A running process: the case's own (id 0), or one inside the token `parent`."""

    id: int
    process: str
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Where a case stands. `counter` is the last number given to a token or scope."""

    tokens: Mapping[int, Token]
    scopes: Mapping[int, Scope]
    counter: int = 0
    done: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives an equal state."""
        return {
            "tokens": [_plain(token) for token in self.tokens.values()],
            "scopes": [_plain(scope) for scope in self.scopes.values()],
            "counter": self.counter,
            "done": self.done,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> State:
        """The state that `to_json` wrote."""
        tokens = {}
        for row in data["tokens"]:
            values = dict(row)
            if "items" in values:
                values["items"] = tuple(values["items"])
            tokens[row["id"]] = Token(**values)
        scopes = {row["id"]: Scope(**row) for row in data["scopes"]}
        return cls(tokens, scopes, data["counter"], data["done"])


EMPTY = State({}, {})
"""The state before Start."""


def _plain(value: Any) -> dict[str, Any]:
    row = {}
    for one in fields(value):
        item = getattr(value, one.name)
        if item != one.default or isinstance(item, bool):
            row[one.name] = list(item) if isinstance(item, tuple) else item
    return row


# Commands


@dataclass(frozen=True, slots=True)
class Start:
    """Begin. `node` chooses a start event when the flow has several."""

    node: str | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """Finish a waiting token. `item` chooses the instance when `token` is a multi-instance's own token."""

    token: int
    outcome: str | None = None
    item: Any = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message arrives; it goes to the oldest token that waits for it, or to `token`."""

    name: str
    token: int | None = None


@dataclass(frozen=True, slots=True)
class FireTimer:
    """A timer is due: the token it was armed for, and the timer's node."""

    token: int
    node: str


@dataclass(frozen=True, slots=True)
class ThrowError:
    """The work at a token failed with a code that the flow may catch at a boundary event."""

    token: int
    code: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the case where it stands, in whatever state."""


Command = Start | Complete | Message | FireTimer | ThrowError | Cancel

# Results


@dataclass(frozen=True, slots=True)
class TimerArmed:
    """A timer to set. The caller computes the moment; it ends when its token goes (see `Step.disarmed`)."""

    token: int
    node: str
    kind: str
    expression: str
    interrupting: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trace. kind: "start", "enter", "leave", "timer", "message", "throw", "error",
    "uncaught", "terminate", "cancel", "end"."""

    kind: str
    node: str
    scope: int


@dataclass(frozen=True, slots=True)
class Step:
    """The result of a command: the new state and the differences to store."""

    state: State
    created: list[Token]
    removed: list[int]
    changed: list[Token]
    timers: list[TimerArmed]
    disarmed: list[int]
    """Removed tokens at whose node timers may be set: delete those timers."""
    trace: list[Entry]
    done: bool


class CommandRefused(Exception):
    """The command does not fit the state; nothing has happened.

    Attributes:
        code: "token-gone", "not-waiting", "unknown-outcome", "outcome-missing", "unknown-item", "no-flow",
            "no-receiver", "no-timer", "no-handler", "bad-collection", "which-start", "already-started",
            "already-done", "not-started", "endless-loop".
        message: in Chinese, for the person who gave the command.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
