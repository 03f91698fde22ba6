"""Give committed entries their places in the tree. The worker's; one at a time, whole batches or nothing."""

from uuid import UUID

from django.db import connection, transaction
from psycopg import Cursor

from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import announce

from . import tiles
from .models import Tile
from .tree import leaf_hash

BATCH = 50_000
_LOCK = 0x6C6564676572  # the advisory lock of whoever appends


def size() -> int:
    """How many leaves the tree has."""
    with connection.cursor() as cursor:
        cursor.execute("select coalesce(max(position) + 1, 0) from ledger_leaf")
        return cursor.fetchone()[0]


def append_pending(most: int = BATCH) -> int:
    """Append what has been committed since; returns how many entries found their place.

    Safe at any moment: killed in the middle, the transaction is gone and the commitments wait on.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        announce(SYSTEM)
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute("select entry_id, commitment from ledger_take(%s)", [most])
        taken = sorted(cursor.fetchall())
        if not taken:
            return 0
        first = size()
        changed = tiles.append(first, [leaf_hash(bytes(data)) for _id, data in taken], fetch)
        cursor.execute(
            "select ledger_grow(%s, %s, %s::smallint[], %s, %s)",
            [
                first,
                [entry_id for entry_id, _data in taken],
                [level for level, _number in changed],
                [number for _level, number in changed],
                list(changed.values()),
            ],
        )
        return len(taken)


# Each tile is looked up by its key: joined, PostgreSQL reads the whole table while it is small.
_PLACE = """
select l.position, k.level, k.number,
  (select t.hashes from ledger_tile t where t.level = k.level and t.number = k.number)
from ledger_leaf l
cross join lateral unnest(
  %s::smallint[] || %s::smallint[],
  array[l.position >> 8, l.position >> 16, l.position >> 24, l.position >> 32] || %s::bigint[]
) as k(level, number)
where l.entry_id = %s
"""


def place_of(entry_id: UUID, size: int) -> tuple[int, dict[tiles.Key, bytes]] | None:
    """Where in the tree an entry is, with every tile that a proof of it in a tree of ``size`` leaves can need.

    Those are the tiles above the leaf and those of the tree's right edge; one round trip fetches both. None
    while the entry waits for its place.
    """
    levels = list(range(4))
    edge = [max(size - 1, 0) >> (tiles.DEPTH * (level + 1)) for level in levels]
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(_PLACE, [levels, levels, edge, entry_id], prepare=True, binary=True)
        rows = cursor.fetchall()
    if not rows:
        return None
    found = {(level, n): bytes(hashes) for _p, level, n, hashes in rows if hashes is not None}
    return rows[0][0], found


def fetch(keys: set[tiles.Key]) -> dict[tiles.Key, bytes]:
    """Tiles as they are kept; those that do not exist are left out."""
    if not keys:
        return {}
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        Cursor(connection.connection) as cursor,
    ):  # psycopg's own, which prepares
        cursor.execute(
            "select t.level, t.number, t.hashes from ledger_tile t"
            " join unnest(%s::smallint[], %s::bigint[]) as k(level, number) using (level, number)",
            [[level for level, _n in keys], [number for _l, number in keys]],
            prepare=True,
            binary=True,
        )
        return {(level, number): bytes(hashes) for level, number, hashes in cursor.fetchall()}


def tile(level: int, number: int) -> bytes | None:
    """One tile as it is, for witnesses who keep the whole tree."""
    found = Tile.objects.filter(level=level, number=number).values_list("hashes", flat=True).first()
    return None if found is None else bytes(found)
