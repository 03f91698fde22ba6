"""The workbench's navigation: only the places that the official's posts open."""

from django import template
from django.utils.translation import gettext as _

from yiwang.domains.enterprise.queries import CREDIT
from yiwang.domains.policy.contracts import PUBLISHER as POLICY_PUBLISHER
from yiwang.domains.policy.contracts import WRITER as POLICY_WRITER
from yiwang.domains.services.authoring.rules import AUTHOR, PUBLISHER
from yiwang.engines.cases.api import WINDOW
from yiwang.engines.hub.api import REPORTER, STEWARD
from yiwang.kernel.ledger.queries import is_asked
from yiwang.kernel.orgs.queries import MANAGER

register = template.Library()


@register.filter
def workplaces(actor) -> list[tuple[str, str]]:
    """Addresses and names of the official's pages."""
    roles = {role for held in actor.posts.values() for role in held} if actor else set()
    places = [("/desk", _("待办"))]
    if WINDOW in roles:
        places.append(("/window", _("窗口")))
    if MANAGER in roles:
        places += [("/desk/manage", _("督办与负荷")), ("/desk/ratings", _("差评和投诉"))]
    if roles & {AUTHOR, PUBLISHER}:
        places.append(("/packs", _("编写事项")))
    if CREDIT in roles:
        places.append(("/desk/enterprises", _("一企一档")))
    if roles & {CREDIT, REPORTER, STEWARD}:
        places.append(("/desk/publicity", _("决定公示")))
    if roles & {CREDIT, REPORTER}:
        places.append(("/desk/corrections", _("更正申请")))
    if roles & {POLICY_WRITER, POLICY_PUBLISHER}:
        places.append(("/desk/policies", _("惠企政策")))
    elsewhere = {
        WINDOW,
        MANAGER,
        AUTHOR,
        PUBLISHER,
        REPORTER,
        STEWARD,
        CREDIT,
        POLICY_WRITER,
        POLICY_PUBLISHER,
    }
    if roles - elsewhere:
        places += [
            ("/desk/undertakings", _("承诺与容缺")),
            ("/desk/reviews", _("会审")),
        ]
    if roles - elsewhere or STEWARD in roles or (actor and is_asked(actor)):
        places.append(("/desk/doubts", _("数据疑问")))
    places += [("/desk/data", _("数据目录")), ("/desk/enterprises/fairness", _("分类是否公平"))]
    if roles & {REPORTER, STEWARD}:
        places.append(("/desk/hub", _("数据归集")))
    return [*places, ("/messages", _("消息")), ("/", _("门户"))]
