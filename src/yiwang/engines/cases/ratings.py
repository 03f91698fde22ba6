"""好差评: one rating per case, five levels, given once (国办发〔2019〕51号)."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.rules import require_subject
from yiwang.kernel.audit.api import record

from .contracts import RATING_LEVELS
from .models import Case, Rating


def rate(actor: Actor, case: Case, level: str, comment: str) -> Rating:
    """Rate a closed case.

    Args:
        level: "1" (非常不满意) to "5" (非常满意).

    Raises:
        Refused: not the actor's case, not closed, no level chosen, or rated before.
    """
    require_subject(actor, case)
    if case.closed_at is None:
        raise Refused(_("办结后才能评价。"))
    if level not in map(str, RATING_LEVELS):
        raise Refused(_("请选择一个评价。"))
    try:
        with transaction.atomic():
            rating = Rating.objects.create(
                case=case, subject_id=case.subject_id, level=int(level), comment=comment[:500]
            )
            record(actor, "case.rated", "case", case.id, case.trace_id, level=int(level))
            return rating
    except IntegrityError as twice:
        raise Refused(_("这件办件已经评价过了，一事一评。")) from twice
