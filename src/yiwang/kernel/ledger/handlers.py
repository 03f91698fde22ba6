"""A doubt reaches the office that used the data; its answer reaches whoever doubted."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.events.api import on
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.orgs.models import Post
from yiwang.kernel.orgs.queries import MANAGER, STEWARD, office_with

from .models import Doubt
from .queries import region_of


@on("ledger.doubted")
def doubted(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Everybody with a post in the office hears of it; of the data authority, whoever looks after data."""
    doubt = Doubt.objects.select_related("use").get(id=body["doubt"])
    posts = Post.objects.filter(org_id=doubt.org_id, until=None)
    if doubt.round > 1 or not doubt.use.orgs:
        posts = posts.filter(roles__contains=[STEWARD])
    title = _("有人对数据使用的答复不满意") if doubt.round > 1 else _("有人对数据使用提出疑问")
    told = {"purpose": doubt.use.purpose, "day": f"{timezone.localtime(doubt.due_at):%Y-%m-%d}"}
    for post in posts:
        key = derived_id("message", doubt.id, "doubted", post.person_id)
        text = _("用途“%(purpose)s”。请核对后在 %(day)s 前答复。") % told
        tell(key, post.person_id, title, text, "/desk/doubts")


@on("ledger.overdue")
def overdue(body: dict[str, Any], trace_id: UUID | None) -> None:
    """The office's managers and whoever looks after data for the subject hear once that an answer is late."""
    doubt = Doubt.objects.select_related("use").get(id=body["doubt"])
    managers = Post.objects.filter(org_id=doubt.org_id, until=None, roles__contains=[MANAGER])
    authority = office_with(STEWARD, region_of(doubt.subject_id))
    stewards = Post.objects.filter(org=authority, until=None, roles__contains=[STEWARD]) if authority else []
    told = {"purpose": doubt.use.purpose, "day": f"{timezone.localtime(doubt.due_at):%Y-%m-%d}"}
    for post in [*managers, *stewards]:
        tell(
            derived_id("message", doubt.id, "overdue", post.person_id),
            post.person_id,
            _("数据使用疑问到期没有答复"),
            _(
                "用途“%(purpose)s”，应在 %(day)s 前答复。请督促答复；本单位没有人能答复的，由数据主管部门答复。"
            )
            % told,
            "/desk/doubts",
        )


@on("ledger.answered")
def answered(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Whoever doubted reads what the office says."""
    doubt = Doubt.objects.get(id=body["doubt"])
    tell(
        derived_id("message", doubt.id, "answered"),
        doubt.subject_id,
        _("您的数据使用疑问有了答复"),
        doubt.answer,
        "/uses",
    )
