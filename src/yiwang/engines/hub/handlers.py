"""Reactions to what the collector emits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.events.api import on
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.orgs.models import Post

from .actions import REPORTER, STEWARD


@on("hub.overdue")
def overdue(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Tell whoever reports for the source department, and the stewards."""
    due = timezone.localtime(datetime.fromisoformat(body["due"]))
    posts = Post.objects.filter(
        until=None, roles__contains=[REPORTER], org__functions__contains=[body["department"]]
    )
    title = _("“%(name)s”到期没有报") % body
    text = _(
        "应在 %(day)s 前报送，现在还没有收到。请登录工作台的“数据归集”上传；没有变化的，也请报一份说明。"
    ) % {"day": f"{due:%Y-%m-%d}"}
    for post in [*posts, *Post.objects.filter(until=None, roles__contains=[STEWARD])]:
        id = derived_id("hub-overdue", body["dataset"], body["due"], post.person_id)
        tell(id, post.person_id, title, text, f"/desk/hub/{body['dataset']}")
