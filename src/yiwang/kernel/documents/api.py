"""Issue a signed document; verify one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.access.rules import visible
from yiwang.kernel.files import store
from yiwang.kernel.ids import derived_id

from .models import IssuedDocument
from .render import qr_svg, render
from .signing import signer

LICENCE = "licence"
# Letters and digits that nobody confuses when reading a code aloud.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Content:
    """What a document says. ``rows`` are (label, value) pairs; ``to`` is the addressee."""

    title: str
    number: str
    to: str
    paragraphs: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    footer: str = ""


@dataclass(frozen=True)
class Concerning:
    """Whom and what a document concerns, and who issues it.

    ``holder_id``: whose it is, where that is not who applied: a licence of an enterprise just founded.
    """

    subject_id: UUID
    subject_name: str
    org_id: UUID | None
    org_name: str
    case_id: UUID | None
    holder_id: UUID | None = None


def _code(document_id: UUID) -> str:
    """A verify code that cannot be guessed from the document's id: keyed with the installation's secret."""
    import hashlib
    import hmac

    digest = hmac.new(settings.SECRET_KEY.encode(), document_id.bytes, hashlib.sha256).digest()
    return "".join(_ALPHABET[byte % 32] for byte in digest[:16])


def issue(key: tuple, kind: str, template: bytes, content: Content, about: Concerning) -> IssuedDocument:
    """Render, sign and keep a document, once per ``key``.

    Args:
        key: what makes it one of its kind, such as (case, notice, sequence).
        kind: id of the notice pack entry, or ``licence``.
        template: typst source, from the release the case began with.
    """
    document_id = derived_id("document", *key)
    already = IssuedDocument.objects.filter(id=document_id).first()
    if already:
        return already
    now = timezone.now()
    code = _code(document_id)
    url = f"{settings.ENV.base_url}/verify/{code}"
    day = timezone.localdate(now)
    pdf = render(
        template,
        {
            "title": content.title,
            "number": content.number,
            "to": content.to,
            "paragraphs": list(content.paragraphs),
            "rows": [list(row) for row in content.rows],
            "footer": content.footer,
            "org": about.org_name,
            "date": f"{day.year}年{day.month}月{day.day}日",
            "code": code,
            "url": f"{settings.ENV.base_url}/verify",
            "qr": qr_svg(url),
        },
    )
    signed = signer().sign(pdf, f"{about.org_name} {content.title}")
    return IssuedDocument.objects.create(
        id=document_id,
        code=code,
        kind=kind,
        title=content.title,
        number=content.number,
        data={"rows": [list(row) for row in content.rows], "paragraphs": list(content.paragraphs)},
        sha256=store.put(signed),
        issued_at=now,
        subject_id=about.subject_id,
        subject_name=about.subject_name,
        holder_id=about.holder_id,
        org_id=about.org_id,
        org_name=about.org_name,
        case_id=about.case_id,
    )


def readable(actor: Actor) -> Q:
    """The documents that somebody may open: his own, those he holds, those of his offices."""
    return visible(actor) | Q(holder_id=actor.subject_id) if actor.subject_id else visible(actor)


def certificates(actor: Actor) -> QuerySet[IssuedDocument]:
    """The certificates of the actor's subject, the newest first."""
    own = Q(subject_id=actor.subject_id, holder_id=None) | Q(holder_id=actor.subject_id)
    return IssuedDocument.objects.filter(own, kind=LICENCE).order_by("-issued_at")


@dataclass(frozen=True)
class Verified:
    """What the public may know of a document whose code it holds."""

    title: str
    number: str
    org_name: str
    subject_name: str
    issued_at: datetime
    revoked_at: datetime | None
    sha256: str


def verify(code: str) -> Verified | None:
    """The document of a code, or None. The name is masked: 王秀兰 → 王*兰."""
    with connection.cursor() as cursor:
        cursor.execute("select * from document_verify(%s)", [code.strip().upper()])
        row = cursor.fetchone()
    if row is None:
        return None
    title, number, org_name, subject_name, issued_at, revoked_at, sha256 = row
    return Verified(title, number, org_name, mask_name(subject_name), issued_at, revoked_at, sha256)


def mask_name(name: str) -> str:
    """A name with its middle hidden."""
    return name[0] + "*" * max(1, len(name) - 2) + (name[-1] if len(name) > 2 else "")
