"""Records under a grant: a page, one subject, or everything as a stream that says at its end whether it is whole."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import connection
from django.db.utils import Error
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.hub import datasets
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.models import SharingGrant
from yiwang.engines.hub.queries import kind_of
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import UnknownPurpose, purpose_of

from .contracts import limits_of

MOST = 1000  # records of a page
BLOCK = 5000  # records between two looks at the grant while a download runs


class Over(Refused):
    """The grant has ended, was revoked, or is used up for today. ``code``: over or quota."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class BadPlace(Refused):
    """The place to go on from is not one that this grant gave."""


class NoGrant(Refused):
    """There is no such grant of the actor's."""


@dataclass(frozen=True)
class Page:
    """Records in the order of the key. ``next``: where to go on, "" at the end.

    ``_disputed`` of a record: somebody whom it is about says that it is wrong, and the source has not answered.
    """

    records: list[dict[str, Any]]
    next: str


_OVER = {"YG002": "over", "YG003": "quota"}


def page(
    actor: Actor,
    grant_id: UUID,
    subject: str = "",
    after: str = "",
    since: int | None = None,
    most: int = MOST,
) -> Page:
    """A page of records under a grant, noted in the ledger and counted, in the open transaction.

    Args:
        subject: only records about this subject (a code); "" for all.
        after: ``next`` of the page before.
        since: number of a delivery; only what later ones brought, withdrawals included.
        most: records at most, from 1.

    Raises:
        NoGrant, Over, BadPlace: see there.
    """
    grant = SharingGrant.objects.filter(id=grant_id, org_id__in=list(actor.posts)).first()
    dataset = datasets.find(grant.dataset) if grant else None
    if grant is None or dataset is None:
        raise NoGrant(_("没有找到这个授权，或它不属于您的单位。"))
    found = _read(grant, dataset, subject, _opened(after, grant_id), since, most)
    more = bool(found) and "more" in found[-1]
    following = _sealed(grant_id, dataset, found[-1]["key"]) if more else ""
    return Page([_shown(one, since is not None) for one in found], following)


def has_grant(actor: Actor, grant_id: UUID) -> bool:
    """Whether a grant of the actor's offices has that id, in force or not."""
    return SharingGrant.objects.filter(id=grant_id, org_id__in=list(actor.posts)).exists()


def _shown(one: dict[str, Any], changes: bool) -> dict[str, Any]:
    record: dict[str, Any] = {**one["record"], "_disputed": one["disputed"]}
    return {**record, "_withdrawn": one["withdrawn"], "_delivery": one["delivery"]} if changes else record


def _read(
    grant: SharingGrant,
    dataset: Dataset,
    subject: str,
    after: dict[str, Any] | None,
    since: int | None,
    most: int,
) -> list[dict[str, Any]]:
    try:
        purpose_of(grant.purpose)
    except UnknownPurpose:
        told = {"name": grant.purpose}
        raise Over("over", _("用途“%(name)s”已经停用，不能再取数。要继续使用，请重新申请。") % told) from None
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select v from hub_granted(%s, %s, %s, %s, %s::jsonb, %s, %s, %s::jsonb) v",
                [
                    *(new_id(), grant.id, kind_of(dataset), subject or None),
                    *(json.dumps(after) if after else None, since, most),
                    json.dumps(limits_of(dataset, timezone.localdate())),
                ],
            )
            return [json.loads(v) if isinstance(v, str) else v for (v,) in cursor.fetchall()]
    except Error as error:
        state = getattr(error.__cause__, "sqlstate", "")
        if state == "YG001":
            raise NoGrant(_("没有找到这个授权，或它不属于您的单位。")) from None
        if state in _OVER:
            raise Over(_OVER[state], _told(grant, state)) from None
        raise


def _told(grant: SharingGrant, state: str) -> str:
    if state == "YG003":
        told = {"n": grant.daily}
        return _("今天的 %(n)s 条已经用完，明天零点起可以接着取；不够用的，请申请提高。") % told
    if grant.revoked_at is not None:
        return _("授权已被收回：%(why)s。要继续使用，请重新申请。") % {"why": grant.revoked_why}
    told = {"since": grant.since, "until": grant.until}
    return _("授权从 %(since)s 到 %(until)s 有效，现在不在其间。要继续使用，请续期。") % told


def stream(actor: Actor, grant_id: UUID, after: str = "", block: int = BLOCK) -> Iterator[bytes]:
    """All records under a grant as lines of JSON; each block is a transaction of its own, checked anew.

    The last line says whether that was all: ``{"complete": true, "records": n}``, or ``{"complete": false,
    "records": n, "error": …, "message": …, "after": …}`` when the grant ended or its quota was used up on the
    way. A stream without such a line was cut off. ``after`` goes on where it stopped.
    """
    taken = 0
    while True:
        try:
            with acting(actor):
                found = page(actor, grant_id, after=after, most=block)
        except Refused as refused:
            last = {
                "complete": False,
                "records": taken,
                "error": getattr(refused, "code", "refused"),
                "message": str(refused),
                "after": after,
            }
            yield _line(last)
            return
        if found.records:
            yield b"".join(map(_line, found.records))
        taken, after = taken + len(found.records), found.next
        if not after:
            yield _line({"complete": True, "records": taken})
            return


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _box() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(settings.CURSOR_KEY)))


def _sealed(grant_id: UUID, dataset: Dataset, key: list[Any]) -> str:
    """A place in the list. Encrypted: a key may be what the grant masks."""
    told = json.dumps([str(grant_id), dict(zip(dataset.key, key, strict=True))])
    return _box().encrypt(told.encode()).decode()


def _opened(text: str, grant_id: UUID) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        grant, key = json.loads(_box().decrypt(text.encode()))
        if grant == str(grant_id):
            return dict(key)
    except (InvalidToken, ValueError):
        pass
    raise BadPlace(_("after 不对：请原样使用上一页给出的 next。"))
