"""The nouns of cases. The public status is a projection with a few legal milestones; the flow is internal."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Status(TextChoices):
    """Legal milestones, in order."""

    WAITING = "waiting", _("等待前序")
    RECEIVED = "received", _("收件")
    ACCEPTED = "accepted", _("受理")
    REVIEWED = "reviewed", _("审查")
    DECIDED = "decided", _("决定")
    ISSUED = "issued", _("送达")
    CLOSED = "closed", _("办结")


class Phase(TextChoices):
    """Whether work goes on."""

    WAITING = "waiting", _("等待前序事项的结果")
    OPEN = "open", _("办理中")
    SUPPLEMENT = "supplement", _("等您补正")
    SUSPENDED = "suspended", _("暂停计时")
    CLOSED = "closed", _("已结束")


class Result(TextChoices):
    """How a case ended."""

    GRANTED = "granted", _("准予")
    DENIED = "denied", _("不予")
    REFUSED = "refused", _("不予受理")
    WITHDRAWN = "withdrawn", _("申请人撤回")
    STOPPED = "stopped", _("前序未办成，未开始")


RATING_LEVELS = {5: _("非常满意"), 4: _("满意"), 3: _("基本满意"), 2: _("不满意"), 1: _("非常不满意")}
