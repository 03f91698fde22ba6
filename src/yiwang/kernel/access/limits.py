"""How much one account may write in a minute.

Each web process takes blocks of writes from a row in PostgreSQL and counts them down in its memory. So
nearly every write costs a dictionary look-up, and however many processes there are, together they give
out no more than the limit. (A count in memory alone would multiply the limit by the processes; a row
updated by every write would make an account's writes wait for each other until they commit.)
"""

import threading
import time
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils.translation import gettext as _

BLOCKS = 20  # into so many blocks a limit is cut: what a process holds unused is at most one
_SQL = """
insert into access_writecount as c (account, minute, taken) values (%(account)s, %(minute)s, %(block)s)
on conflict (account) do update set
  taken = case when c.minute = excluded.minute then c.taken + excluded.taken else excluded.taken end,
  minute = excluded.minute
returning taken
"""


class TooMany(PermissionDenied):
    """The account has written too much this minute; ``seconds`` until it may again."""

    def __init__(self, limit: int, seconds: int) -> None:
        text = _("操作太频繁：一个账号每分钟最多提交 %(limit)s 次，请 %(seconds)s 秒后再试。")
        super().__init__(text % {"limit": limit, "seconds": seconds})
        self.seconds = seconds


class _Held:
    """What this process has left of an account's writes in a minute."""

    __slots__ = ("given", "left", "minute")

    def __init__(self, minute: int) -> None:
        self.minute, self.left, self.given = minute, 0, 0


_held: dict[UUID, _Held] = {}
_lock = threading.Lock()
MOST_KEPT = 20_000  # accounts remembered before those of past minutes are dropped


def count_write(account: UUID) -> None:
    """Count one write of an account.

    Raises:
        TooMany: its limit for this minute is used up.
    """
    limit = settings.ENV.writes_per_minute
    now = time.time()
    minute = int(now // 60)
    with _lock:
        held = _held.get(account)
        if held is None or held.minute != minute:
            if len(_held) > MOST_KEPT:
                _drop_past(minute)
            held = _held[account] = _Held(minute)
        if held.left > 0:
            held.left -= 1
            return
        given = held.given
    block = max(1, limit // BLOCKS)
    if given >= limit or _take(account, minute, block) - block >= limit:
        with _lock:
            held.given = limit
        raise TooMany(limit, 60 - int(now % 60))
    with _lock:
        held.given += block
        held.left += block - 1


def _take(account: UUID, minute: int, block: int) -> int:
    """Take a block, on a connection of its own: it counts even if the request fails, and locks nobody out."""
    with connection.pool.connection() as raw:
        values = {"account": account, "minute": minute, "block": block}
        (taken,) = raw.execute(_SQL, values).fetchone()
    return int(taken)


def _drop_past(minute: int) -> None:
    for account in [a for a, held in _held.items() if held.minute != minute]:
        del _held[account]
