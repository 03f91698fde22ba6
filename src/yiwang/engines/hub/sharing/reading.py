"""Records under a grant: a page, one subject, or everything as a stream that says at its end whether it is whole."""

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import connection
from django.db.utils import Error
from django.utils.translation import gettext as _

from yiwang.engines.hub import datasets
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.models import SharingGrant
from yiwang.engines.hub.queries import kind_of
from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import UnknownPurpose, purpose_of

MOST = 1000  # records of a page
LAST = 2**31 - 1  # what a number of a delivery can be
BLOCK = 5000  # records between two looks at the grant while a download runs


class Over(Refused):
    """The grant has ended, was revoked, or is used up for today. ``code``: over or quota."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class BadPlace(Refused):
    """The place to go on from is not one that this grant gave. ``field``: after or since."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class NoGrant(Refused):
    """There is no such grant of the actor's."""


class Unsettled(Refused):
    """Packs were just loaded, and what they give out is not written yet: to be asked again in a moment."""

    code = "unsettled"

    def __init__(self) -> None:
        super().__init__(_("数据合同刚换了版本，正在按新的规定准备，请几秒后再取。"))


@dataclass(frozen=True)
class Page:
    """Records in the order of the key. ``next``: where to go on, "" at the end.

    ``next_since``: at the end, what to hand back as ``since`` the next time, to get what is different by then.
    Of a record, ``_disputed``: somebody whom it is about says that it is wrong, and the source has not answered;
    ``_repaired``: the day from which a repair of credit takes its effect away, None without one.
    """

    records: list[dict[str, Any]]
    next: str
    next_since: str


_OVER = {"YG002": "over", "YG003": "quota"}


def page(
    actor: Actor, grant_id: UUID, subject: str = "", after: str = "", since: str = "", most: int = MOST
) -> Page:
    """A page of records under a grant, noted in the ledger and counted, in the open transaction.

    Args:
        subject: only records about this subject (a code); "" for all.
        after: ``next`` of the page before, which knows its ``since`` itself.
        since: only what is different since then: ``next_since`` of an earlier fetch, or the number of a delivery.
            What was given out then and no longer is comes as its key and ``_withdrawn: True``.
        most: records at most, from 1.

    Raises:
        NoGrant, Over, BadPlace, Unsettled: see there.
    """
    grant = SharingGrant.objects.filter(id=grant_id, org_id__in=list(actor.posts)).first()
    dataset = datasets.find(grant.dataset) if grant else None
    if grant is None or dataset is None:
        raise NoGrant(_("没有找到这个授权，或它不属于您的单位。"))
    place = _place(grant_id, subject, after, since)
    found = _read(grant, dataset, subject, place, most)
    records, begun = found["records"], place["begun"] or found["state"]
    following = upto = ""
    if found["more"]:
        key = dict(zip(dataset.key, records[-1]["key"], strict=True))
        following = _sealed({**place, "after": key, "begun": begun})
    else:  # as of the first page: what changed behind it while the others were fetched comes the next time
        upto = _sealed({**place, "after": None, "since": begun, "begun": None})
    return Page([_shown(one, place["since"] is not None) for one in records], following, upto)


def has_grant(actor: Actor, grant_id: UUID) -> bool:
    """Whether a grant of the actor's offices has that id, in force or not."""
    return SharingGrant.objects.filter(id=grant_id, org_id__in=list(actor.posts)).exists()


def _shown(one: dict[str, Any], changes: bool) -> dict[str, Any]:
    record: dict[str, Any] = dict(one["record"])
    if not one["gone"]:
        record |= {"_disputed": one.get("disputed", False), "_repaired": one.get("repaired")}
    return {**record, "_withdrawn": one["gone"], "_delivery": one["delivery"]} if changes else record


def _read(
    grant: SharingGrant, dataset: Dataset, subject: str, place: dict[str, Any], most: int
) -> dict[str, Any]:
    """What ``hub_granted`` gives."""
    try:
        purpose_of(grant.purpose)
    except UnknownPurpose:
        told = {"name": grant.purpose}
        raise Over("over", _("用途“%(name)s”已经停用，不能再取数。要继续使用，请重新申请。") % told) from None
    after, since = (None if place[k] is None else json.dumps(place[k]) for k in ("after", "since"))
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select hub_granted(%s, %s, %s, %s, %s::jsonb, %s::jsonb, %s)",
                [new_id(), grant.id, kind_of(dataset), subject or None, after, since, most],
            )
            ((found,),) = cursor.fetchall()
            told_by: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
            return told_by
    except Error as error:
        state = sqlstate(error)
        if state == "YG001":
            raise NoGrant(_("没有找到这个授权，或它不属于您的单位。")) from None
        if state == "YG004":
            raise Unsettled from None
        if state in _OVER:
            raise Over(_OVER[state], _told(grant, state)) from None
        raise


def sqlstate(error: Error) -> str:
    """What PostgreSQL's function says is wrong; see ``hub_granted``."""
    return getattr(error.__cause__, "sqlstate", None) or ""


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

    The last line says whether that was all: ``{"complete": true, "records": n, "next_since": …}``, or
    ``{"complete": false, "records": n, "error": …, "message": …, "after": …}`` when the grant ended or its quota was
    used up on the way. A stream without such a line was cut off. ``after`` goes on where it stopped; ``next_since``
    asks for pages of what is different by then.
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
            yield _line({"complete": True, "records": taken, "next_since": found.next_since})
            return


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _box() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(settings.CURSOR_KEY)))


def _sealed(place: dict[str, Any]) -> str:
    """A place in the list, or a state to ask from. Encrypted: a key may be what the grant masks. Short: it is sent back
    in an address."""
    return _box().encrypt(zlib.compress(json.dumps(place, ensure_ascii=False).encode())).decode()


def _place(grant_id: UUID, subject: str, after: str, since: str) -> dict[str, Any]:
    """Where a page begins: grant, subject, after (a key), since and begun (states, see ``hub_state``).

    begun: the state of when the first page of the fetch was read, None on that page.

    Raises:
        BadPlace: ``after`` or ``since`` is neither what this grant gave for this subject nor, for ``since``, a number.
    """
    mine = {"grant": str(grant_id), "subject": subject}
    if after:
        found = _opened(after)
        if found and found["after"] and mine.items() <= found.items():
            return found
        raise BadPlace("after", _("after 不对：请原样使用上一页给出的 next。"))
    if not since:
        return {**mine, "after": None, "since": None, "begun": None}
    if since.isascii() and since.isdigit() and int(since) <= LAST:
        return {**mine, "after": None, "since": {"seq": int(since)}, "begun": None}
    found = _opened(since)
    if found and not found["after"] and mine.items() <= found.items():
        return found
    told = _(
        "since 不对：请原样使用本授权上一次取完时给出的 next_since，或写一个批次的编号；"
        "换了授权或 subject 的，先不带 since 取一次。"
    )
    raise BadPlace("since", told)


def _opened(text: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(zlib.decompress(_box().decrypt(text.encode())))
    except (InvalidToken, zlib.error):
        return None
    return found
