"""The JSON of the API: what is sent and what comes back. A name that is not here is refused by name."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field, JsonValue

Value = str | int | bool | None
Values = dict[str, Value | list[dict[str, Value]]]  # a repeating group is a list: one object for each row
Reason = Annotated[str, Field(max_length=1000)]


class Sent(Schema):
    """Everything that is sent: unknown names are refused, types are not guessed."""

    model_config = ConfigDict(extra="forbid", strict=False)


class Error(Schema):
    error: str
    message: str
    fields: dict[str, str]


# ---- services


class Service(Schema):
    id: str
    kind: Literal["bundle", "service_item"]
    name: str
    summary: str


class Services(Schema):
    items: list[Service]


class Guide(Service):
    version: int
    items: list[dict[str, JsonValue]]
    fields: list[dict[str, JsonValue]]
    materials: list[dict[str, JsonValue]]
    situations: list[dict[str, JsonValue]]


# ---- drafts


class OpenDraft(Sent):
    service: str = Field(max_length=80)
    answers: dict[str, bool] = {}


class SavePage(Sent):
    values: Values
    revision: int = Field(ge=0)


class Answers(Sent):
    answers: dict[str, bool]


class Submit(Sent):
    pledges: list[str] = []


class Draft(Schema):
    id: UUID
    service: str
    revision: int
    done: list[str]
    saved: datetime
    submitted_at: datetime | None


class FormField(Schema):
    path: str
    label: str
    type: str
    page: str
    value: JsonValue
    source: str
    editable: bool
    required: bool
    options: list[tuple[str, str]]
    hint: str


class FormMaterial(Schema):
    key: str
    name: str
    holder: str
    way: str
    required: bool
    file: str | None
    pledge: str


class Situation(Schema):
    id: str
    ask: str
    answer: JsonValue
    asked: bool


class Group(Schema):
    role: str
    label: str
    min: int
    max: int
    rows: list[str]
    elements: list[str]


class Form(Schema):
    draft: Draft
    pages: list[dict[str, str]]
    fields: list[FormField]
    materials: list[FormMaterial]
    situations: list[Situation]
    groups: list[Group]
    errors: dict[str, str]


class Stored(Schema):
    file: UUID
    name: str
    size: int
    sha256: str


# ---- cases


class NewCase(Sent):
    command_id: UUID
    service: str = Field(max_length=80)
    answers: dict[str, bool] = {}
    values: Values = {}
    pledges: list[str] = []


class Case(Schema):
    id: UUID
    number: str
    service: str
    kind: str
    name: str
    office: str | None
    channel: str
    status: str
    phase: str
    result: str
    seq: int
    parent: UUID | None
    submitted_at: datetime
    accepted_at: datetime | None
    due_at: datetime | None
    legal_due_at: datetime | None
    closed_at: datetime | None


class Made(Schema):
    id: UUID
    number: str
    status: str


class Step(Schema):
    token: int
    name: str
    role: str
    due_at: datetime | None
    assignee: str | None
    outcomes: list[tuple[str, str]]


class CaseInFull(Case):
    applicant: str
    data: dict[str, JsonValue]
    materials: list[dict[str, JsonValue]]
    supplement: dict[str, JsonValue] | None
    steps: list[Step]
    children: list[Case]


class Cases(Schema):
    items: list[Case]
    next: str | None


class Happening(Schema):
    at: datetime
    actor: str
    words: str
    reason: str


class History(Schema):
    items: list[Happening]


# ---- work and commands


class Work(Schema):
    case: Case
    token: int
    step: str
    due_at: datetime | None
    assignee: str | None
    applicant: str


class WorkList(Schema):
    items: list[Work]
    next: str | None


class Command(Sent):
    command_id: UUID


class Complete(Command):
    token: int = Field(ge=0)
    outcome: str | None = Field(None, max_length=40)
    reason: Reason = ""


class Supplement(Command):
    token: int = Field(ge=0)
    keys: list[str]
    note: Reason = ""


class SupplementAnswer(Command):
    values: dict[str, Value] = {}
    files: dict[str, UUID] = {}


class Suspend(Command):
    ground: str = Field(max_length=60)
    note: Reason = ""


class Note(Command):
    note: Reason = ""


class Because(Command):
    reason: Reason = ""


class Assign(Command):
    token: int = Field(ge=0)
    person: UUID | None = None


class Transfer(Command):
    office: str = Field(max_length=120)
    reason: Reason


class Done(Schema):
    id: UUID
    seq: int
    status: str
    phase: str
    result: str
    again: bool


# ---- documents


class Document(Schema):
    id: UUID
    case: UUID | None
    kind: str
    title: str
    number: str
    office: str
    code: str
    sha256: str
    issued_at: datetime
    revoked_at: datetime | None


class Documents(Schema):
    items: list[Document]


class Verified(Schema):
    title: str
    number: str
    office: str
    subject: str
    issued_at: datetime
    revoked_at: datetime | None
    sha256: str


class Me(Schema):
    name: str
    acting_for: str | None
    scopes: list[str] | None
    offices: dict[UUID, list[str]]
    today: date


# ---- data hub


class DatasetLine(Schema):
    id: str
    name: str
    department: str
    version: int
    rows: int
    expected: int
    as_of: datetime | None
    due: datetime
    overdue: bool
    score: float | None


class Datasets(Schema):
    items: list[DatasetLine]


class GrantLine(Schema):
    id: UUID
    dataset: str
    purpose: str
    fields: list[dict[str, JsonValue]]
    rows: list[dict[str, JsonValue]]
    daily: int
    used_today: int
    since: date
    until: date
    in_force: bool


class Grants(Schema):
    items: list[GrantLine]


class Granted(Schema):
    """``next``: where the next page begins, "" on the last; ``next_since``: on the last page, what to hand back as
    ``since`` the next time."""

    records: list[dict[str, JsonValue]]
    next: str
    next_since: str


class Push(Sent):
    batch: str = Field(min_length=1, max_length=80)
    as_of: datetime | None = None
    mode: Literal["change", "full"] | None = None
    office: UUID | None = None
    records: list[dict[str, JsonValue]] = Field(min_length=1, max_length=1000)


class RecordMessage(Schema):
    record: int
    field: str
    value: str
    what: str
    remedy: str
    proposal: str


class Checked(Schema):
    good: int
    refused: int
    messages: list[RecordMessage]


class Pushed(Checked):
    delivery: UUID
    new: bool


class DeliveryState(Schema):
    id: UUID
    number: int
    dataset: str
    state: str
    error: str
    as_of: datetime
    loaded_at: datetime | None
    counts: dict[str, int]
    messages: list[dict[str, JsonValue]]
