"""A doubt reaches the office that used the data; its answer reaches whoever doubted."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.kernel.events.api import on
from yiwang.kernel.ids import derived_id
from yiwang.kernel.notify.api import tell
from yiwang.kernel.orgs.models import Post

from .models import Doubt


@on("ledger.doubted")
def doubted(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Everybody with a post in the office hears of it."""
    doubt = Doubt.objects.select_related("use").get(id=body["doubt"])
    for post in Post.objects.filter(org_id=doubt.org_id, until=None):
        key = derived_id("message", doubt.id, "doubted", post.person_id)
        text = _("用途“%(purpose)s”。请核对后答复。") % {"purpose": doubt.use.purpose}
        tell(key, post.person_id, _("有人对数据使用提出疑问"), text, "/desk/doubts")


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
