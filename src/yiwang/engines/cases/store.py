"""One command, one transaction, two round trips: lock and read; then write all that changed.

The only writer of case, token, timer, event and clock rows. Always locks the case row first, never a
token or a timer: that order is what keeps timers and people from deadlocking or acting twice.
Raw SQL in a pipeline, because this is the hot path of every province-year (see benchmarks/bench_flow.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from psycopg import Cursor
from psycopg.rows import dict_row

from yiwang.kernel.access.contracts import Actor

from . import chain
from .flow import Entry, State, Step, TimerArmed, Token

_CASE_COLUMNS = """id, number, kind, ref, name, release, flow_id, parent_id, after, subject_id, subject_name,
 org_id, channel, status, phase, result, data, extra, counter, scopes, seq, head, trace_id,
 submitted_at, accepted_at, due_at, legal_due_at, due_provisional, decided_at, closed_at"""

_JSON_COLUMNS = ("after", "data", "extra", "scopes")


class Gone(LookupError):
    """There is no such case, or the actor may not see it."""


@dataclass
class Locked:
    """A case held by this transaction, with everything a command may need."""

    row: dict[str, Any]
    tokens: list[dict[str, Any]]
    clock: list[dict[str, Any]]
    already: bool  # this very command was applied before

    def __getattr__(self, name: str) -> Any:
        try:
            return self.row[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def state(self) -> State:
        """The flow's state, from the rows."""
        return State.from_json(
            {
                "tokens": [t["body"] for t in self.tokens],
                "scopes": self.row["scopes"],
                "counter": self.row["counter"],
                "done": self.row["closed_at"] is not None,
            }
        )


@dataclass
class ClockChange:
    """Close the open interval at ``at``, then open another unless ``running`` is None."""

    at: datetime
    running: bool | None
    ground: str = ""
    basis: str = ""


@dataclass
class Change:
    """Everything a command does to its case."""

    type: str
    args: dict[str, Any] = field(default_factory=dict)
    step: Step | None = None
    patch: dict[str, Any] = field(default_factory=dict)  # columns of the case
    data: dict[str, Any] = field(default_factory=dict)  # merged into the case's data
    clock: ClockChange | None = None
    token_columns: dict[int, dict[str, Any]] = field(default_factory=dict)  # new tokens: name, role, due_at
    token_due: datetime | None = None  # move every open token of the case to this date
    rearm: bool = False  # the flow itself changes: old timers go, those in ``timers`` take their place
    token_org: UUID | None = None  # move every open token of the case to this office
    assignee: tuple[int, UUID, str] | None = None  # give a token to an official
    timers: list[tuple[TimerArmed, datetime]] = field(default_factory=list)
    outbox: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def _raw():
    connection.ensure_connection()
    return connection.connection


def lock(case_id: UUID, command_id: UUID, *, skip_locked: bool = False) -> Locked:
    """Lock a case and read it with its tokens and clock.

    Raises:
        Gone: not there, not visible, or (with ``skip_locked``) held by somebody else just now.
    """
    raw = _raw()
    # Server-side cursors, prepared: Django's own bind on the client and plan each statement anew.
    with raw.pipeline(), Cursor(raw, row_factory=dict_row) as a, Cursor(raw, row_factory=dict_row) as b:
        skip = " skip locked" if skip_locked else ""
        a.execute(
            f"select {_CASE_COLUMNS} from cases_case where id = %s for update{skip}", [case_id], prepare=True
        )
        b.execute(
            "select id, body, assignee_id, assignee_name from cases_token where case_id = %s order by id",
            [case_id],
            prepare=True,
        )
        c = Cursor(raw, row_factory=dict_row).execute(
            'select n, running, ground, basis, start, "end" from cases_clockinterval where case_id = %s order by n',
            [case_id],
            prepare=True,
        )
        d = Cursor(raw).execute("select 1 from cases_event where command_id = %s", [command_id], prepare=True)
        row, tokens, clock, already = a.fetchone(), b.fetchall(), c.fetchall(), d.fetchone()
    if row is None:
        raise Gone(str(case_id))
    for column in _JSON_COLUMNS:  # Django leaves jsonb as text on its connections
        row[column] = orjson.loads(row[column])
    for token in tokens:
        token["body"] = orjson.loads(token["body"])
    return Locked(row, tokens, clock, already is not None)


def insert(row: dict[str, Any]) -> Locked:
    """Insert a new case row (no tokens yet) and hold it."""
    fresh = {
        "result": "",
        "due_provisional": False,
        "counter": 0,
        "scopes": [],
        "seq": 0,
        "head": chain.GENESIS,
    }
    values = {**row, **fresh}
    names = list(values)
    marks = ", ".join(["%s"] * len(names))
    _raw().execute(
        f"insert into cases_case ({', '.join(names)}) values ({marks})", [_plain(v) for v in values.values()]
    )
    blank = dict.fromkeys(("accepted_at", "due_at", "legal_due_at", "decided_at", "closed_at", "parent_id"))
    return Locked({**blank, **values}, [], [], False)


def write(held: Locked, actor: Actor, command_id: UUID, now: datetime, change: Change) -> int:
    """Write a change and its event. Returns the event's sequence number."""
    case_id, seq = held.row["id"], held.row["seq"] + 1
    body = {"type": change.type, **change.args}
    if change.data:
        body["data"] = change.data
    if change.step:
        body["trace"] = [_entry(e) for e in change.step.trace]
    text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    at = now.astimezone(UTC)
    head = chain.link(
        chain.ALGORITHM, bytes(held.row["head"]), seq, at.isoformat(), actor.label, command_id, text
    )
    columns: dict[str, Any] = {"seq": seq, "head": head, **change.patch}
    if change.data:
        columns["data"] = {**held.row["data"], **change.data}
    if change.step:
        flow = change.step.state.to_json()
        columns |= {"counter": flow["counter"], "scopes": flow["scopes"]}
    raw = _raw()
    with raw.pipeline(), Cursor(raw) as cursor:

        def run(sql: str, values: Iterable[Any]) -> None:
            cursor.execute(sql, [_plain(v) for v in values], prepare=True)

        run(
            "insert into cases_event (case_id, seq, at, actor, actor_name, command_id, type, body, algorithm, hash)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                case_id,
                seq,
                at,
                actor.label,
                actor.name,
                command_id,
                change.type,
                text.decode(),
                chain.ALGORITHM,
                head,
            ],
        )
        if change.step:
            gone = list(change.step.removed)
            if gone:  # a token's timers go with it
                run("delete from cases_token where case_id = %s and id = any(%s)", [case_id, _Array(gone)])
                run("delete from cases_timer where case_id = %s and token = any(%s)", [case_id, _Array(gone)])
            for token in change.step.created:
                extra = change.token_columns.get(token.id, {})
                run(
                    "insert into cases_token (case_id, id, node, scope, kind, name, role, org_id, body, due_at, created)"
                    " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    [
                        case_id,
                        token.id,
                        token.node,
                        token.scope,
                        token.kind,
                        extra.get("name", ""),
                        extra.get("role", ""),
                        held.row["org_id"],
                        _token(token),
                        extra.get("due_at"),
                        now,
                    ],
                )
            for token in change.step.changed:
                run(
                    "update cases_token set body = %s where case_id = %s and id = %s",
                    [_token(token), case_id, token.id],
                )
                if token.id in change.token_columns:  # moved to another node of another flow
                    named = change.token_columns[token.id]
                    run(
                        "update cases_token set node = %s, name = %s, role = %s where case_id = %s and id = %s",
                        [token.node, named["name"], named["role"], case_id, token.id],
                    )
        if change.rearm:
            run("delete from cases_timer where case_id = %s", [case_id])
        for timer, due_at in change.timers:
            run(
                "insert into cases_timer (case_id, token, node, due_at) values (%s, %s, %s, %s)",
                [case_id, timer.token, timer.node, due_at],
            )
        if change.clock:
            run(
                'update cases_clockinterval set "end" = %s where case_id = %s and "end" is null',
                [change.clock.at, case_id],
            )
            if change.clock.running is not None:
                run(
                    "insert into cases_clockinterval (case_id, n, running, ground, basis, start)"
                    " values (%s, %s, %s, %s, %s, %s)",
                    [
                        case_id,
                        len(held.clock),
                        change.clock.running,
                        change.clock.ground,
                        change.clock.basis,
                        change.clock.at,
                    ],
                )
        if change.token_due is not None:
            run(
                "update cases_token set due_at = %s where case_id = %s and kind = 'user'",
                [change.token_due, case_id],
            )
        if change.token_org is not None:
            run(
                "update cases_token set org_id = %s, assignee_id = null, assignee_name = null where case_id = %s",
                [change.token_org, case_id],
            )
        if change.assignee is not None:
            token_id, person_id, name = change.assignee
            run(
                "update cases_token set assignee_id = %s, assignee_name = %s where case_id = %s and id = %s",
                [person_id, name, case_id, token_id],
            )
        for topic, event in change.outbox:
            run(
                "insert into events_outboxevent (topic, body, trace_id, created, not_before, attempts, error)"
                " values (%s, %s, %s, %s, %s, 0, '')",
                [topic, event, held.row["trace_id"], now, now],
            )
        sets = ", ".join(f"{name} = %s" for name in columns)
        run(f"update cases_case set {sets} where id = %s", [*columns.values(), case_id])
        if change.outbox:
            cursor.execute("notify yiwang_outbox")
    held.row.update(columns)
    return seq


class _Array(list):
    """A list that is a PostgreSQL array, not JSON."""


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        return list(value)
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
    return value


def _entry(entry: Entry) -> list[Any]:
    return [str(entry.kind), entry.node, entry.scope]


def _token(token: Token) -> dict[str, Any]:
    return State({token.id: token}, {}).to_json()["tokens"][0]
