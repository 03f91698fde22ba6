"""综合窗口: the same application, helped along at a counter. One draft, one number, whoever types."""

import secrets
from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.accounts.models import Person
from yiwang.kernel.audit.api import record
from yiwang.kernel.packs import api as packs

from .applying import find_draft
from .forms.functions import birth_of, idno_check_digit
from .models import Case, Draft

WINDOW = "window"  # the role of a post that takes applications in for other offices
CODE_HOURS = 24  # a handover code that is not used lapses
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is misread on a slip of paper


def windows_of(actor: Actor) -> list[UUID]:
    """The offices in which the actor sits at a window."""
    return [org for org, roles in actor.posts.items() if WINDOW in roles]


def _window(actor: Actor) -> UUID:
    offices = windows_of(actor)
    if not offices:
        raise Refused(_("您没有综合窗口的岗位。"))
    return offices[0]


def open_at_window(actor: Actor, name: str, idno: str, ref: str) -> Draft:
    """Begin, or go on with, an application for the person at the counter, whose identity card was seen.

    Raises:
        Refused: no such post, the name does not fit the number, or the service is for enterprises.
    """
    office = _window(actor)
    name, idno = name.strip(), idno.strip().upper()
    if len(idno) != 18 or birth_of(idno) is None or idno_check_digit(idno[:17]) != idno[17]:
        raise Refused(_("公民身份号码“%(idno)s”不对，请对照身份证重新输入或重新读卡。") % {"idno": idno})
    if not name:
        raise Refused(_("请输入姓名。"))
    library = packs.current()
    pack = library.find("bundle", ref) or library.find("service_item", ref)
    if pack is None:
        raise Refused(_("没有编号为“%(ref)s”的事项，请从列表中选择。") % {"ref": ref})
    if pack.data.get("subject"):
        raise Refused(_("这件事以企业的名义办理，请企业的经办人登录后出示转交码。"))
    with as_system(actor):
        person, new = Person.objects.get_or_create(idno=idno, defaults={"name": name})
        if person.name != name:
            raise Refused(
                _("号码 %(idno)s 登记的姓名不是“%(name)s”，请核对身份证。") % {"idno": idno, "name": name}
            )
        draft = (
            Draft.objects.filter(subject_id=person.id, ref=ref, submitted_at=None).order_by("-saved").first()
        )
        if draft is None:
            draft = Draft.objects.create(
                ref=ref,
                release=packs.current_release(),
                subject_id=person.id,
                applicant_id=person.id,
                org_id=office,
            )
        draft.org_id = office
        draft.save()
    record(
        actor,
        "draft.opened-at-window",
        "draft",
        draft.id,
        draft.id,
        ref=ref,
        person=str(person.id),
        new_person=new,
    )
    return draft


def offer(actor: Actor, draft_id: UUID) -> Draft:
    """A code with which any window may go on with the actor's draft: his consent, for a day."""
    draft = find_draft(actor, draft_id, lock=True)
    if draft is None or draft.submitted_at or draft.subject_id != actor.subject_id:
        raise Refused(_("没有找到这份申请，或它已经提交。"))
    now = timezone.now()
    if not draft.handover_code or draft.handover_until is None or draft.handover_until < now:
        draft.handover_code = "".join(secrets.choice(_ALPHABET) for _letter in range(8))
        draft.handover_until = now + timedelta(hours=CODE_HOURS)
        draft.save()
        record(actor, "draft.offered", "draft", draft.id, draft.id)
    return draft


def take_over(actor: Actor, code: str) -> Draft:
    """Go on at the window with what somebody began online.

    Raises:
        Refused: no such post, or the code is wrong, used or lapsed.
    """
    office = _window(actor)
    wanted = "".join(code.upper().split()).rsplit("/", 1)[-1]  # a scanner types the whole address
    with as_system(actor):
        draft = Draft.objects.select_for_update().filter(handover_code=wanted, submitted_at=None).first()
        if draft is None or draft.handover_until is None or draft.handover_until < timezone.now():
            raise Refused(
                _("转交码“%(code)s”不对或已失效，请让办事人在手机上重新出示。") % {"code": code.strip()[:20]}
            )
        draft.org_id, draft.handover_code, draft.handover_until = office, None, None
        draft.save()
    record(actor, "draft.taken-over", "draft", draft.id, draft.id, ref=draft.ref)
    return draft


def taken_in(actor: Actor, limit: int = 50) -> list[tuple[Draft, Case | None, str]]:
    """What the actor's windows took in, the newest first: draft, its case, the person's name."""
    drafts = list(Draft.objects.filter(org_id__in=windows_of(actor)).order_by("-saved")[:limit])
    with as_system(actor):
        cases = {c.id: c for c in Case.objects.filter(id__in=[d.id for d in drafts])}
        people = {p.id: p.name for p in Person.objects.filter(id__in=[d.subject_id for d in drafts])}
    return [(d, cases.get(d.id), people.get(d.subject_id, "")) for d in drafts]


def receipt(actor: Actor, draft_id: UUID) -> tuple[Draft, Case, list[Case]]:
    """What the window prints after handing in: the case and its items.

    Raises:
        Refused: not taken in at the actor's window.
    """
    draft = Draft.objects.filter(id=draft_id, org_id__in=windows_of(actor)).first()
    if draft is None:
        raise Refused(_("这份申请不是在您的窗口收的。"))
    with as_system(actor):
        case = Case.objects.select_related("org").filter(id=draft_id).first()
        if case is None:
            raise Refused(_("这份申请还没有提交。"))
        family = (
            [case] if case.kind != "bundle" else list(case.children.select_related("org").order_by("number"))
        )
    return draft, case, family
