"""Look subjects up in a register, for a purpose; and write a result back."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection
from psycopg import Cursor

from yiwang.kernel.events.api import emit
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import Purpose, purpose_of
from yiwang.kernel.packs.api import current

from .models import RegisterState

KINDS = {"idno": "person", "uscc": "enterprise"}
"""Whose data a register holds, by the last part of its key element; a place's or a thing's otherwise."""


_READ = "select register_read(%s, %s, %s, %s, %s, %s, %s, %s)"


class Unavailable(Exception):
    """The register does not answer now; ask the person instead."""


class NotAllowed(Exception):
    """The register's pack does not list this purpose."""


def lookup(
    register: str, key: str, purpose: str, case_id: UUID | None = None, away: frozenset[str] | None = None
) -> dict | None:
    """The record of one subject, or None. Leaves an entry in the ledger, in the same transaction.

    Args:
        register: id of a register pack.
        key: value of the register's key element, such as an ID number.
        purpose: what for; the register's pack must list it.
        case_id: the case (or draft) it is for.
        away: what ``down`` said a moment ago, to whom has asked already.

    Raises:
        Unavailable: the register is down.
        NotAllowed: the purpose is not one the register serves.
    """
    kind, why = _allowed(register, purpose)
    if away and register in away:
        raise Unavailable(register)
    # psycopg's own cursor: Django's never prepares, and this statement runs for every field that is prefilled.
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(
            _READ,
            [new_id(), register, kind, key, why.name, why.basis, case_id, why.visible_from()],
            prepare=True,
        )
        (answer,) = cursor.fetchone()
    if answer is None:
        raise Unavailable(register)
    answer = json.loads(answer) if isinstance(answer, str) else answer
    return answer.get("found")


def lookup_many(
    register: str, keys: Sequence[str], purpose: str, case_id: UUID | None = None
) -> dict[str, dict]:
    """The records of many subjects by key; those without one are left out. One ledger entry for each asked for.

    Raises:
        Unavailable, NotAllowed: as ``lookup``.
    """
    kind, why = _allowed(register, purpose)
    if register in down():
        raise Unavailable(register)
    with connection.cursor() as cursor:
        cursor.execute(
            "select key, fields from register_read_many(%s, %s, %s, %s, %s, %s, %s, %s)",
            [new_id(), register, kind, list(keys), why.name, why.basis, case_id, why.visible_from()],
        )
        found = cursor.fetchall()
    return {key: json.loads(fields) if isinstance(fields, str) else fields for key, fields in found}


def _allowed(register: str, purpose: str) -> tuple[str, Purpose]:
    """Whose data the register holds, and the purpose in full."""
    pack = current().get("register", register)
    if purpose not in pack.data["purposes"]:
        raise NotAllowed(
            f"{pack.name}不向用途“{purpose}”提供查询；允许的用途：{'、'.join(pack.data['purposes'])}"
        )
    return KINDS.get(pack.data["key"]["element"].rpartition(".")[2], "other"), purpose_of(purpose)


def write_back(register: str, key: str, fields: dict) -> None:
    """Merge a result into a subject's record, and say so: ``registers.changed``. Only the system may."""
    write_back_many(register, {key: fields})


def write_back_many(register: str, records: Mapping[str, dict]) -> None:
    """The same for many subjects of one register, said once."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "select register_write(%s, %s, %s::jsonb)",
            [(register, key, json.dumps(fields)) for key, fields in records.items()],
        )
    emit("registers.changed", {"register": register, "keys": list(records)})


def down() -> frozenset[str]:
    """Ids of the registers that do not answer at present."""
    return frozenset(RegisterState.objects.filter(up=False).values_list("register", flat=True))
