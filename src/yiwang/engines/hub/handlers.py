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

from . import datasets
from .actions import REPORTER, STEWARD
from .models import SharingGrant, SharingRequest


@on("hub.overdue")
def overdue(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Tell whoever reports for the source department (one office, if it alone is late), and the stewards.

    Of a dataset with a territory the stewards hear once a day: its page says which offices are late.
    """
    due = timezone.localtime(datetime.fromisoformat(body["due"]))
    org = body.get("org")
    posts = Post.objects.filter(
        until=None, roles__contains=[REPORTER], org__functions__contains=[body["department"]]
    )
    text = _(
        "应在 %(day)s 前报送，现在还没有收到。请登录工作台的“数据归集”上传；没有变化的，也请报一份说明。"
    ) % {"day": f"{due:%Y-%m-%d}"}
    link = f"/desk/hub/{body['dataset']}"
    for post in posts.filter(org=org) if org else posts:
        id = derived_id("hub-overdue", body["dataset"], body["due"], post.person_id)
        tell(id, post.person_id, _("“%(name)s”到期没有报") % body, text, link)
    if org:
        when, title = f"{timezone.localdate()}", _("“%(name)s”有单位到期没有报") % body
        text = _("哪些单位到期没有报，见数据集页面的“各单位报送”。")
    else:
        when, title = body["due"], _("“%(name)s”到期没有报") % body
    for person in _stewards():
        tell(derived_id("hub-overdue", body["dataset"], when, person), person, title, text, link)


@on("hub.unreported")
def unreported(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Tell the stewards: nobody else is there to hear of it."""
    text = _("%(department)s部门没有人有数据归集岗，催不到人。请明确由谁报送，请管理员设岗。") % body
    for person in _stewards():
        id = derived_id("hub-unreported", body["dataset"], body["due"], person)
        tell(id, person, _("“%(name)s”到期没有报") % body, text, f"/desk/hub/{body['dataset']}")


def _stewards() -> set[UUID]:
    return set(Post.objects.filter(until=None, roles__contains=[STEWARD]).values_list("person_id", flat=True))


def _name(dataset: str) -> str:
    found = datasets.find(dataset)
    return found.name if found else dataset


@on("hub.share_asked")
def share_asked(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Tell whoever answers for the source; who asked does not answer himself."""
    asked = SharingRequest.objects.select_related("org").get(id=body["request"])
    told = {
        "org": asked.org.name,
        "name": _name(asked.dataset),
        "day": f"{timezone.localtime(asked.due_at):%Y-%m-%d}",
    }
    posts = Post.objects.filter(until=None, roles__contains=[REPORTER], org=asked.source_id)
    for post in posts.exclude(person=asked.person_id):
        tell(
            derived_id("share-asked", asked.id, post.person_id),
            post.person_id,
            _("%(org)s申请使用“%(name)s”") % told,
            _("请在 %(day)s 前答复：同意、不同意都要写明。") % told,
            f"/desk/data/requests/{asked.id}",
        )


@on("hub.share_answered")
def share_answered(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Tell who asked."""
    asked = SharingRequest.objects.get(id=body["request"])
    told = {"name": _name(asked.dataset), "state": asked.get_state_display()}
    tell(
        derived_id("share-answered", asked.id),
        asked.person_id,
        _("使用“%(name)s”的申请：%(state)s") % told,
        asked.answer or _("请到数据目录查看授权。"),
        f"/desk/data/requests/{asked.id}",
    )


@on("hub.share_revoked")
def share_revoked(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Tell who asked that the use has ended."""
    grant = SharingGrant.objects.select_related("request").get(id=body["grant"])
    tell(
        derived_id("share-revoked", grant.id),
        grant.request.person_id,
        _("“%(name)s”的使用授权已收回") % {"name": _name(grant.dataset)},
        grant.revoked_why,
        f"/desk/data/grants/{grant.id}",
    )


@on("hub.share_ending")
def share_ending(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Tell who asked that the use will end, while there is time to renew it."""
    grant = SharingGrant.objects.select_related("request").get(id=body["grant"])
    told = {"name": _name(grant.dataset), "day": grant.until}
    tell(
        derived_id("share-ending", grant.id),
        grant.request.person_id,
        _("“%(name)s”的使用授权 %(day)s 到期") % told,
        _("还要用的，请现在续期：续期要来源部门答复。不再用的，不用做什么。"),
        f"/desk/data/grants/{grant.id}",
    )
