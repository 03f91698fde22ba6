"""Other publicity platforms are told of each notice and of its end: POST of JSON to ``YIWANG_PUBLICITY_URL``."""

import json
import logging
import urllib.request
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.events.api import slowly

from .models import Notice, public

log = logging.getLogger(__name__)
AT_ONCE = 200
TIMEOUT_SECONDS = 20


def as_told(notice: Notice) -> dict[str, Any]:
    """A notice as other platforms get it. ``state``: public or down, with the reason; ``disputed``: to be marked."""
    down = notice.down_at is not None
    return {
        "id": str(notice.id),
        "kind": notice.pack,
        "number": notice.number,
        "state": "down" if down else "public",
        "reason": notice.down_why,
        "published_at": notice.published_at.isoformat(),
        "down_at": notice.down_at.isoformat() if notice.down_at else None,
        "until": notice.until.isoformat() if notice.until else None,
        "disputed": notice.disputed and not down,
        **({} if down else {"uscc": notice.uscc, "name": notice.name, "fields": dict(notice.said)}),
    }


@slowly
def push() -> None:
    """Tell what has changed. What cannot be told now is told in the next round; ``doctor`` shows what waits.

    Told outside of any transaction, so it may be told twice after a crash: receivers go by ``id`` and ``state``.
    """
    url = settings.ENV.publicity_url
    while url:
        with acting(SYSTEM):
            there = Notice.objects.filter(pushed_at=None).filter(public() | ~Q(down_at=None))
            waiting = list(there.order_by("id")[:AT_ONCE])
        if not waiting:
            return
        error = _post(url, [as_told(n) for n in waiting])
        with acting(SYSTEM):
            for notice in waiting:  # one that changed meanwhile is told again
                same = Notice.objects.filter(id=notice.id, rev=notice.rev)
                same.update(pushed_at=None if error else timezone.now(), push_error=error[:300])
        if error:
            log.warning("publicity not pushed: %s", error)
            return


def _post(url: str, told: list[dict[str, Any]]) -> str:
    """Send them; returns what went wrong, or nothing. ``url`` is the operator's own setting, http or https."""
    content = json.dumps(told, ensure_ascii=False).encode()
    kind = {"Content-Type": "application/json; charset=utf-8"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, content, kind), timeout=TIMEOUT_SECONDS):  # noqa: S310
            return ""  # any other answer than 2xx is raised
    except OSError as why:  # URLError, HTTPError and time-outs are such
        return str(why)


def feed(after: str) -> list[Notice]:
    """What is public now, in the order of ids, for platforms that fetch. What is gone from it is no longer public."""
    found = Notice.objects.filter(public()).order_by("id")
    return list((found.filter(id__gt=after) if after else found)[:AT_ONCE])
