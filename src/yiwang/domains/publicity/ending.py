"""Time takes notices down, and a new version of a pack makes them anew; nobody has to think of it."""

from collections import defaultdict

from django.utils import timezone

from yiwang.engines.hub import api as hub
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.events.api import slowly
from yiwang.kernel.packs import api as packs

from . import notices, records, telling
from .models import Notice
from .records import AT_ONCE


@slowly
def expire() -> None:
    """Take down what was public until yesterday, or what a repair ends today."""
    while True:
        with acting(SYSTEM):
            now, names = timezone.now(), {p.id: p.name for p in packs.current().all("publicity")}
            waiting = Notice.objects.filter(down_at=None, until__lt=timezone.localdate()).order_by("id")
            over = list(waiting.select_for_update(skip_locked=True)[:AT_ONCE])
            by_pack = defaultdict(list)
            for notice in over:
                notices.take_down(notice, notice.end_why, now)
                by_pack[notice.pack].append(notice)
            Notice.objects.bulk_update(over, ["down_at", "down_why", "pushed_at", "rev"])
            for pack, some in by_pack.items():
                notices.note("publicity.taken-down", pack, some)
                telling.taken_down(names.get(pack, pack), some)
        if len(over) < AT_ONCE:
            return


@slowly
def renew() -> None:
    """Settle what was settled by an older version of its pack, some at each call."""
    for pack in packs.current().all("publicity"):
        with acting(SYSTEM):
            older = Notice.objects.filter(pack=pack.id).exclude(version=pack.version)
            numbers = list(older.order_by("id").values_list("number", flat=True)[:AT_ONCE])
        if not numbers:
            continue
        with hub.owner_connection() as con, con.transaction():
            found = records.read(con, pack, numbers)
        with acting(SYSTEM):
            notices.settle(pack, found, None, None)
            these = Notice.objects.filter(pack=pack.id, number__in=numbers)
            these.update(version=pack.version)
            if found.began is not None:
                these.filter(due_at__lt=found.began).update(backlog=True)
