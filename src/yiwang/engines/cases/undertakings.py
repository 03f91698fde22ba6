"""What an applicant undertook: facts pledged instead of proved (告知承诺), material to follow (容缺受理).

国办发〔2020〕42号: an office that takes a pledge checks it afterwards; a false one has consequences.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.access.rules import require_role, visible
from yiwang.kernel.access.session import acting
from yiwang.kernel.calendar.api import due_from
from yiwang.kernel.calendar.rules import Limit, Unit
from yiwang.kernel.events.api import emit

from .actions.moving import Row, execute, happened
from .forms import FormMaterial, Way
from .models import Case, Undertaking
from .store import Change, Locked

PLEDGE, OWED = "pledge", "owed"


def undertake(
    case_id: UUID, subject_id: UUID, org_id: UUID | None, materials: list[FormMaterial], owed: set[str]
) -> None:
    """Keep what was undertaken on submission, with the day by which it must be checked or handed in.

    Args:
        materials: of this case's item. owed: keys of materials that follow later.
    """
    now = timezone.now()
    for material in materials:
        if material.way is Way.COMMITMENT:
            kind, text = PLEDGE, material.pledge
            due = now + timedelta(days=material.verify_days or 0)
        elif material.key in owed and material.owed_within:
            kind, text = OWED, ""
            value, unit = material.owed_within
            due = due_from(Limit(value, Unit(unit)), now)
        else:
            continue
        Undertaking.objects.create(
            case_id=case_id,
            subject_id=subject_id,
            org_id=org_id,
            kind=kind,
            key=material.key,
            name=f"{material.holder_label}的{material.name}",
            text=text,
            made_at=now,
            due_at=due,
        )


def of_case(case: Case) -> list[Undertaking]:
    """Undertakings of a case and its children."""
    return list(
        Undertaking.objects.filter(case_id__in=[case.id, *case.children.values_list("id", flat=True)])
    )


def desk(actor: Actor) -> list[Undertaking]:
    """Open undertakings of the actor's offices, the most urgent first."""
    found = Undertaking.objects.filter(visible(actor), settled_at=None, org_id__in=list(actor.posts))
    return list(found.select_related("case").order_by("due_at")[:200])


def find(actor: Actor, undertaking_id: UUID) -> Undertaking | None:
    """An undertaking that the actor may see, or None."""
    return Undertaking.objects.filter(visible(actor), id=undertaking_id).select_related("case").first()


def hand_in(actor: Actor, undertaking_id: UUID, file_id: UUID, command_id: UUID) -> Locked:
    """The applicant hands in what he owed.

    Raises:
        Refused: not his, or handed in already.
    """
    made = find(actor, undertaking_id)
    if made is None or made.subject_id != actor.subject_id or made.kind != OWED:
        raise Refused(_("没有找到这份待补的材料。"))
    if made.settled_at is not None:
        raise Refused(_("这份材料已经补交过了。"))

    def decide(held: Locked, now: Any) -> Change:
        materials = [
            {**m, "file": str(file_id)} if m["key"] == made.key else m
            for m in held.extra.get("materials", [])
        ]
        made.settled_at, made.kept = now, True
        made.save()
        return Change(
            "handed-in",
            {"key": made.key, "name": made.name},
            patch={"extra": {**held.extra, "materials": materials}},
        )

    return execute(actor, made.case_id, command_id, decide)


def check(actor: Actor, undertaking_id: UUID, kept: bool, note: str, command_id: UUID) -> Locked:
    """The office says what it found when it checked a pledge (事中事后核查).

    Raises:
        Refused: no post in the office, checked already, or a broken pledge without what was found.
    """
    made = find(actor, undertaking_id)
    if made is None or made.org_id not in actor.posts:
        raise Refused(_("没有找到这项承诺。"))
    if made.settled_at is not None:
        raise Refused(_("这项承诺已经核查过。"))
    if not kept and not note.strip():
        raise Refused(_("认定承诺不实的，请写明核查到的事实：会告知申请人。"))

    def decide(held: Locked, now: Any) -> Change:
        require_role(actor, Row(held), next(iter(sorted(actor.posts[made.org_id])), ""))
        made.settled_at, made.kept, made.note = now, kept, note.strip()[:500]
        made.save()
        change = Change("undertaking-checked", {"name": made.name, "kept": kept, "note": note.strip()})
        if not kept:
            happened(held, change, "pledge_broken", reason=note.strip())
        return change

    return execute(actor, made.case_id, command_id, decide)


def remind(limit: int = 100) -> int:
    """Say once of each undertaking whose day has passed; the office decides what follows."""
    with acting(SYSTEM):
        late = Undertaking.objects.filter(settled_at=None, reminded_at=None, due_at__lt=timezone.now())
        rows = list(late.select_for_update(skip_locked=True)[:limit])
        for made in rows:
            made.reminded_at = timezone.now()
            made.save()
            emit("cases.undertaking-due", {"undertaking": str(made.id), "case": str(made.case_id)})
    return len(rows)
