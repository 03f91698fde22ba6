"""Accounts are given out by an operator or come from an identity provider; mandates by those concerned."""

from datetime import date
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.session import acting, as_system
from yiwang.kernel.audit.api import record

from .models import Enterprise, Mandate, Person, User


def add(username: str, password: str, idno: str, name: str = "", phone: str = "") -> User:
    """Give a person an account with a password.

    Args:
        idno: GB 11643 number of the person, who is made when not known yet; then ``name`` is needed.

    Raises:
        Refused: the name is taken, the password is weak, or the person is not known and has no name.
    """
    with acting(SYSTEM):
        if User.objects.filter(username=username).exists():
            raise Refused(_("已有名为“%(name)s”的账号，请换一个。") % {"name": username})
        person = Person.objects.filter(idno=idno).first()
        if person is None:
            if not name:
                raise Refused(_("没有号码为 %(idno)s 的人，请同时给出姓名。") % {"idno": idno})
            person = Person.objects.create(name=name, idno=idno, phone=phone)
        try:
            validate_password(password)
        except ValidationError as weak:
            raise Refused("；".join(weak.messages)) from weak
        user = User.objects.create_user(username, password, person=person)
        record(SYSTEM, "account.added", "user", user.id, username=username)
        return user


LONGEST = 366  # days of a mandate between persons; it can be given again
ENTERPRISE_ROLES = ("admin", "handler", "viewer")


def authorise(
    actor: Actor, name: str, idno: str, roles: list[str], scope: list[str] | None, until: date | None
) -> Mandate:
    """Let another person act for the actor's subject.

    Args:
        name, idno: of the agent; both must fit, so that a mistyped number authorises nobody.
        roles: for an enterprise, one of ENTERPRISE_ROLES; for a person always handler.
        scope: ids of services, None for all. until: last day; persons must give one.

    Raises:
        Refused: not the actor's to give, the agent is not known, or the last day does not fit.
    """
    subject = actor.acting_for
    if actor.person_id is None or (subject and "admin" not in subject.roles):
        raise Refused(_("只有本人或企业的管理员可以授权，请由管理员操作。"))
    today = timezone.localdate()
    if until is not None and until < today:
        raise Refused(_("授权截止日期 %(day)s 已经过去，请改成今天或以后。") % {"day": until})
    if subject is None and (until is None or (until - today).days > LONGEST):
        raise Refused(_("请写明截止日期，最长一年；到期可以再授权。"))
    if subject is not None and not set(roles) <= set(ENTERPRISE_ROLES):
        raise Refused(_("没有这种企业角色，请从列表中选择。"))
    with as_system(actor):
        agent = Person.objects.filter(idno=idno.strip().upper(), name=name.strip()).first()
    if agent is None:
        raise Refused(
            _("没有姓名“%(name)s”与所填号码相符的实名用户。请核对；对方要先登录过本平台。")
            % {"name": name.strip()}
        )
    if agent.id == actor.person_id and subject is None:
        raise Refused(_("不用授权给自己。"))
    mandate = Mandate(
        subject_kind=subject.kind if subject else "person",
        subject_id=actor.subject_id,
        subject_name=subject.name if subject else actor.name,
        agent_id=agent.id,
        agent_name=agent.name,
        roles=roles if subject else ["handler"],
        scope=scope,
        since=today,
        until=until,
        granted_by=actor.label,
    )
    mandate.save(force_insert=True)
    record(
        actor, "mandate.given", "mandate", mandate.id, agent=agent.name, scope=scope, until=str(until or "")
    )
    return mandate


def revoke(actor: Actor, mandate_id: UUID) -> Mandate:
    """Take a mandate back, at once. Its agent may also lay it down.

    Raises:
        Refused: neither gave nor holds it.
    """
    mandate = Mandate.objects.filter(id=mandate_id, revoked_at=None).first()
    mine = mandate is not None and mandate.subject_id == actor.subject_id
    may = mine and (actor.acting_for is None or "admin" in actor.acting_for.roles)
    if mandate is None or not (may or mandate.agent_id == actor.person_id):
        raise Refused(_("没有找到这项授权，或它不是您给出的。"))
    with as_system(actor):
        mandate.revoked_at = timezone.now()
        mandate.save(update_fields=["revoked_at"])
    record(actor, "mandate.revoked", "mandate", mandate.id)
    return mandate


def found_enterprise(name: str, uscc: str, legal_person: Person) -> Enterprise:
    """Make an enterprise known, with its legal representative as its administrator. The system's alone.

    The same code again changes nothing.
    """
    enterprise, new = Enterprise.objects.get_or_create(uscc=uscc, defaults={"name": name})
    if new:
        Mandate.objects.create(
            subject_kind="enterprise",
            subject_id=enterprise.id,
            subject_name=name,
            agent=legal_person,
            agent_name=legal_person.name,
            roles=["admin", "handler"],
            scope=None,
            since=timezone.localdate(),
            granted_by="system",
        )
        record(SYSTEM, "enterprise.founded", "enterprise", enterprise.id, uscc=uscc)
    return enterprise
