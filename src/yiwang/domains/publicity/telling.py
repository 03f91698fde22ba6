"""What the enterprises that somebody acts for here hear of notices about them, each thing once."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.kernel.accounts.models import Enterprise
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell

from .models import Notice


def published(title: str, notices: Mapping[Notice, date]) -> None:
    """New ones, with the first day on which a repair would take effect."""
    for notice, own in _owned(notices):
        text = _(
            "%(number)s 已依法公示，到 %(day)s 为止，次日自动停止。认为有误的，可以在企业档案里申请更正，核实期间公示上"
            "注明有异议；改正以后可以申请信用修复，修复后停止公示，最早在 %(first)s（最短公示期满）。"
        ) % {"number": notice.number, "day": notice.until, "first": notices[notice]}
        tell(derived_id("publicity", notice.id), own, title, text, "/enterprise")


def repaired_early(title: str, notices: Iterable[Notice]) -> None:
    """A repair that waits for the end of the shortest term."""
    for notice, own in _owned(notices):
        text = _(
            "%(number)s 的信用修复已经收到。最短公示期未满，公示到 %(day)s 为止，次日停止，不用再申请。"
        ) % {"number": notice.number, "day": notice.until}
        tell(derived_id("publicity-repair", notice.id, notice.until), own, title, text, "/enterprise")


def taken_down(title: str, notices: Iterable[Notice]) -> None:
    """Those that are no longer public, and why."""
    for notice, own in _owned(notices):
        text = _("%(number)s 不再公示：%(why)s。") % {"number": notice.number, "why": notice.down_why}
        tell(derived_id("publicity-down", notice.id, notice.rev), own, title, text, "/enterprise")


def _owned(notices: Iterable[Notice]) -> list[tuple[Notice, UUID]]:
    every = list(notices)
    own = dict(Enterprise.objects.filter(uscc__in=[n.uscc for n in every]).values_list("uscc", "id"))
    return [(n, own[n.uscc]) for n in every if n.uscc in own]
