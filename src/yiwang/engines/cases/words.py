"""The nouns of cases as people read them."""

from django.utils.translation import gettext_lazy as _

from .contracts import Phase, Result, Status

STATUS = {
    Status.WAITING: _("等待前序"),
    Status.RECEIVED: _("收件"),
    Status.ACCEPTED: _("受理"),
    Status.REVIEWED: _("审查"),
    Status.DECIDED: _("决定"),
    Status.ISSUED: _("送达"),
    Status.CLOSED: _("办结"),
}
PHASE = {
    Phase.WAITING: _("等待前序事项的结果"),
    Phase.OPEN: _("办理中"),
    Phase.SUPPLEMENT: _("等您补正"),
    Phase.SUSPENDED: _("暂停计时"),
    Phase.CLOSED: _("已结束"),
}
RESULT = {
    Result.GRANTED: _("准予"),
    Result.DENIED: _("不予"),
    Result.REFUSED: _("不予受理"),
    Result.WITHDRAWN: _("申请人撤回"),
    Result.STOPPED: _("前序未办成，未开始"),
    Result.DONE: _("已办结"),
    Result.FAILED: _("流程出错终止，须人工处理"),
}
OPINION = {"agree": _("同意"), "conditional": _("有条件同意"), "against": _("不同意")}
RATING = {5: _("非常满意"), 4: _("满意"), 3: _("基本满意"), 2: _("不满意"), 1: _("非常不满意")}


def choices(words: dict) -> list[tuple[str, object]]:
    """Words as Django's choices of a column."""
    return [(str(value), label) for value, label in words.items()]
