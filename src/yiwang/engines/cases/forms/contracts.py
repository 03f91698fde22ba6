"""The nouns of computed forms. Frozen, JSON-able in spirit, no Django, no clock.

A *path* is ``role.element`` in the roles of the plan, e.g. ``child.name``. Data is a flat mapping of paths
(and situation ids) to JSON values: strings (dates are ISO strings), whole numbers, booleans.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from yiwang.kernel.packs.contracts import Library


class PlanError(ValueError):
    """A form cannot be computed from these packs (a cycle, an empty intersection…). Message in Chinese."""


class RegisterUnavailable(LookupError):
    """Raised by a ``Lookup`` when the register cannot answer now; what it would have filled is asked."""


#: (register id, key value) -> the record (register's own field names), or None when there is no such record
Lookup = Callable[[str, str], Mapping[str, Any] | None]


class Origin(StrEnum):
    """Where the value of a field comes from."""

    ASKED = "asked"  # the applicant fills it in
    PREFILLED = "prefilled"  # from the login or a register; the applicant checks it
    DERIVED = "derived"  # computed from other fields, never typed
    DEFAULT = "default"  # filled in, may be changed
    PRODUCED = "produced"  # an earlier item of the bundle produces it
    CONSTANT = "constant"  # fixed by the bundle


class Way(StrEnum):
    """How the need for a material is met."""

    PRODUCED = "produced"  # an earlier item of the bundle issues it
    LICENCE = "licence"  # taken from the electronic licence library
    REGISTER = "register"  # checked against a department's register
    COMMITMENT = "commitment"  # the applicant commits in writing (告知承诺)
    PROVED = "proved"  # every fact it proves is known already
    UPLOAD = "upload"  # uploaded, once


@dataclass(frozen=True, slots=True)
class RegisterLookup:
    """Ask ``register`` with the value of path ``key``, take its ``field``."""

    register: str
    key: str
    field: str


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the merged form: (role, element) once, whoever needs it.

    ``when`` and ``required_when`` are FEEL over plan paths and situations; None means always / never beyond
    ``required``. ``options`` are (value, label). ``supporting``: in no item's own form, but something is
    derived, checked or routed by it. ``suggest``: path whose value is proposed in an empty box.
    ``default`` is the value for origin DEFAULT and CONSTANT, ``derive`` the FEEL for DERIVED.
    """

    path: str
    element: str  # entity.element in the dictionary
    label: str
    why_asked: str
    type: str
    origin: Origin
    source: str
    required: bool
    items: tuple[str, ...]
    page: str
    level: str
    options: tuple[tuple[str, str], ...] = ()
    when: str | None = None
    required_when: str | None = None
    lookup: RegisterLookup | None = None
    lookups: tuple[RegisterLookup, ...] = ()  # all usable ones, most authoritative first
    derive: str | None = None
    default: Any = None
    suggest: str | None = None
    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    hint: str = ""
    example: str = ""
    produced_by: str = ""
    supporting: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of questions about one thing. ``fields`` are paths, in order; ``opens`` are the groups without
    rows that can be begun here."""

    id: str
    title: str
    why: str
    fields: tuple[str, ...]
    opens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A role that several people fill (股东, 合伙人). ``rows`` are the roles of its rows, in order; ``first`` is
    who takes the first row, when that is somebody the form knows anyway. ``columns`` are elements. ``opens``:
    it begins at the push of a button, and expressions read under that name whether it has."""

    role: str
    label: str
    entity: str
    min: int
    max: int
    first: str | None
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    opens: str = ""
    why: str = ""  # who should be added, beside the button

    def label_of(self, row: str) -> str:
        """How a row is called: 股东2."""
        return f"{self.label}{self.rows.index(row) + 1}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold between fields or rows before an application is handed in. ``test`` and ``value`` are
    FEEL in the plan's roles; ``value`` is shown in the refusal, ``at`` says which field it points to."""

    id: str
    text: str
    test: str
    value: str
    at: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class FormMaterial:
    """One material of one holder, wanted by one or more items, met in one way.

    ``told`` is the sentence the applicant reads; ``required_when`` is FEEL when it depends on the data.
    ``field`` is the path of the image field that carries the upload, where the form already asks for it.
    ``accept`` are the ways every item that wants it would accept.
    """

    id: str
    name: str
    holder: str
    holder_label: str
    items: tuple[str, ...]
    way: Way
    required: bool
    source: str
    told: str
    accept: tuple[str, ...] = ()
    required_when: str | None = None
    produced_by: str = ""
    licence: str | None = None  # licence type
    lookup: RegisterLookup | None = None
    field: str | None = None
    tolerable: bool = False  # 容缺: may follow later
    proves: tuple[str, ...] = ()
    pledge: str = ""  # what is signed when a commitment takes its place
    verify_days: int | None = None  # days within which the office checks the pledge
    owed_within: tuple[int, str] | None = None  # a tolerable material follows within (value, unit)
    generated: str = ""  # layout from which the system writes it; the applicant signs and uploads it

    @property
    def key(self) -> str:
        """``id@holder``"""
        return f"{self.id}@{self.holder}"


@dataclass(frozen=True, slots=True)
class Situation:
    """A question whose answer decides which items, fields and materials there are.

    ``asked`` is False when a register answers it or an answer was given; ``answer`` is None while open.
    """

    id: str
    ask: str
    why: str
    asked: bool
    answer: Any
    default: Any
    source: str
    when: str | None
    lookup: RegisterLookup | None
    holds: str | None  # FEEL over the record's fields; None: there is a record
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One service item in the plan. ``bind`` maps the item's roles to the plan's roles; ``data`` is its pack
    with repeating groups written out row by row."""

    id: str
    version: int
    sha256: str
    name: str
    function: str
    bind: Mapping[str, str]
    optional: bool
    flow: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FormPlan:
    """Everything to ask, show, fetch and produce for one bundle (or single item) and one set of answers."""

    library: Library
    ref: str
    kind: str  # bundle | service_item
    name: str
    version: int
    sha256: str
    roles: Mapping[str, str]  # role -> entity
    login: str  # role of the person who logs in
    subject: str | None  # role of the enterprise whose matter it is; None: the person's own
    known: tuple[str, ...]  # paths known from the login and from authorisations
    answers: Mapping[str, Any]
    items: tuple[PlanItem, ...]
    batches: tuple[tuple[str, ...], ...]
    dependencies: Mapping[str, frozenset[str]]
    why: Mapping[tuple[str, str], tuple[str, ...]]  # (before, after) -> what flows between them
    fields: tuple[FormField, ...]
    pages: tuple[Page, ...]
    materials: tuple[FormMaterial, ...]
    situations: tuple[Situation, ...]
    groups: tuple[Group, ...] = ()
    rules: tuple[Rule, ...] = ()
    closed: tuple[Group, ...] = ()  # groups without rows, that a button opens

    def group(self, role: str) -> Group:
        """The repeating group of a role. Raises KeyError."""
        for one in self.groups:
            if one.role == role:
                return one
        raise KeyError(role)

    def field(self, path: str) -> FormField:
        """The field at a path. Raises KeyError."""
        for one in self.fields:
            if one.path == path:
                return one
        raise KeyError(path)

    def item(self, item_id: str) -> PlanItem:
        """The item of that id. Raises KeyError."""
        for one in self.items:
            if one.id == item_id:
                return one
        raise KeyError(item_id)

    @property
    def asked(self) -> tuple[FormField, ...]:
        """What the applicant must fill in."""
        return tuple(f for f in self.fields if f.origin is Origin.ASKED)

    @property
    def uploads(self) -> tuple[FormMaterial, ...]:
        """What the applicant must upload."""
        return tuple(m for m in self.materials if m.way is Way.UPLOAD)


@dataclass(frozen=True, slots=True)
class FieldError:
    """A refused value: names the field, the value and the remedy, in Chinese."""

    path: str
    label: str
    value: Any
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one value came from. ``origin`` ASKED with a ``note``: it should have been
    filled but could not."""

    origin: Origin
    source: str
    register: str = ""
    key: str = ""  # the path of the query key
    note: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What one condition found in one field. ``answer``: True met, False not, None unknown.

    ``gap`` says how far a number or date is from being met, in Chinese; ``source`` where the value came from.
    """

    label: str
    value: str
    source: str
    answer: bool | None
    gap: str = ""


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """One acceptance condition of an item, as the judge engine decides it.

    ``value`` None: unknown, or for a person to judge. ``findings`` are of the alternative that is met, or what
    each alternative lacks; ``missing`` names the data that would decide.
    """

    id: str
    text: str
    value: bool | None
    reason: str
    computable: bool
    basis: str
    otherwise: str = ""
    findings: tuple[Checked, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def detail(self) -> str:
        """Why, in one sentence for people; empty where the reason says all."""
        if self.missing:
            return f"还缺：{'、'.join(self.missing)}"
        told = [f.gap or (f"{f.label}：{f.value}" if f.value else "") for f in self.findings]
        return "；".join(dict.fromkeys(filter(None, told)))


@dataclass(frozen=True, slots=True)
class Told:
    """One line of what the applicant was told at once (一次告知)."""

    kind: str  # field | material
    key: str  # path, or id@holder
    label: str
    items: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Authority:
    """Who decides an item for these data: a function at a level in a region (six digits), not yet an
    organisation. ``region`` is None while the deciding element has no value; ``region_path`` names it."""

    function: str
    level: str
    region: str | None
    region_path: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """A value an item must allocate when it is decided.

    ``scope`` names the counter to draw ``serial`` from; ``render(allocation, serial)`` makes the value.
    """

    path: str
    method: str  # serial | gb11643 | gb32100 | today
    scope: str
    spec: Mapping[str, Any]
