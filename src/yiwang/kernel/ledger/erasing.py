"""Erase whose data entries were about (个人信息保护法 §47), by the operator; the tree and every proof stay."""

import re
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.utils import Error
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.accounts.models import Enterprise, Person
from yiwang.kernel.audit.api import record

from .purposes import purpose_of

PURPOSE = "依法删除个人信息"
SHORTEST = 6  # characters of a reason that says something
_OPEN = "YL001"  # of ledger_erase: a doubt waits for its answer


@dataclass(frozen=True)
class Erased:
    """How many entries lost subject and salt; how many were kept, as uses of an investigation not told of yet."""

    erased: int
    kept: int


def erase(actor: Actor, which: str, reason: str, by: str) -> Erased:
    """Erase subject and salt of one entry, or of all about one person or enterprise.

    What was erased stands in the ledger itself, by commitment, so that a missing salt is known to be no forgery.

    Args:
        which: id of an entry, of a person or of an enterprise; or the person's or enterprise's number.
        by: who decided it, for the audit.

    Raises:
        Refused: not the operator, nothing of that id, no reason, nobody who decided, or a doubt waits for its answer.
    """
    if not actor.system:
        raise Refused(_("账本里的个人信息由平台运维人员删除（yiwang ledger erase）。请把申请交给他们。"))
    if len(reason.strip()) < SHORTEST or not by.strip():
        raise Refused(_("请写明删除的理由（不少于 %(n)s 个字）和决定人，留在审计里。") % {"n": SHORTEST})
    kind, key, entry, named = _found(which.strip())
    why = purpose_of(PURPOSE)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select * from ledger_erase(%s, %s, %s, %s, %s)", [kind, key, entry, why.name, why.basis]
            )
            erased, kept = cursor.fetchone()
    except Error as error:
        if getattr(error.__cause__, "sqlstate", "") == _OPEN:
            raise Refused(
                _("其中有使用还有疑问没有答复，现在删除就没法答复了。请先在“数据疑问”里答复。")
            ) from None
        raise
    if not erased and not kept:
        raise Refused(_("账本里没有“%(which)s”的记录，或已经删除过。请核对编号。") % {"which": named})
    record(
        actor,
        "ledger.erased",
        "entry" if entry else kind,
        named,
        entries=erased,
        reason=reason.strip(),
        by=by.strip(),
    )
    return Erased(erased, kept)


def _found(which: str) -> tuple[str, str, UUID | None, str]:
    """Kind and number of a subject, or an entry's id; and what may be written about it, never a number."""
    if re.fullmatch(r"[0-9]{17}[0-9X]", which):
        return "person", which, None, _("身份证件号码 %(n)s…") % {"n": which[:6]}
    if re.fullmatch(r"[0-9A-Z]{18}", which):
        return "enterprise", which, None, which
    try:
        id = UUID(which)
    except ValueError:
        told = _("“%(which)s”不是编号。请给出账目、个人或企业的编号，或用 - 从终端输入号码。")
        raise Refused(told % {"which": which}) from None
    idno = Person.objects.filter(id=id).values_list("idno", flat=True).first()
    if idno:
        return "person", idno, None, str(id)
    uscc = Enterprise.objects.filter(id=id).values_list("uscc", flat=True).first()
    if uscc:
        return "enterprise", uscc, None, str(id)
    return "", "", id, str(id)
