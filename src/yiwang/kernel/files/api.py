"""Take uploaded files, and show them."""

from uuid import UUID

from django.http import HttpResponse

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.audit.api import record

from . import store
from .models import StoredFile
from .rules import MAX_BYTES, media_type, too_large


def take(
    actor: Actor,
    subject_id: UUID,
    name: str,
    upload,
    case_id: UUID | None = None,
    org_id: UUID | None = None,
) -> StoredFile:
    """Check an upload and keep it.

    Args:
        upload: a Django ``UploadedFile``.
        org_id: the window that scans it for the person at the counter.

    Raises:
        NotTaken: with the reason and the remedy.
    """
    if upload.size > MAX_BYTES:
        raise too_large(name, upload.size)
    content = upload.read()
    kind = media_type(name, content)
    stored = StoredFile.objects.create(
        subject_id=subject_id,
        case_id=case_id,
        org_id=org_id,
        name=name[-200:],
        media_type=kind,
        size=len(content),
        sha256=store.put(content),
    )
    record(actor, "file.stored", "file", stored.id, sha256=stored.sha256, size=stored.size)
    return stored


def hand_over(file_ids: list[UUID], case_id: UUID) -> None:
    """Attach uploads to the case they were handed in with."""
    StoredFile.objects.filter(id__in=file_ids).update(case_id=case_id)


def shown(file_id: UUID) -> HttpResponse:
    """A kept file for the browser to show; the caller has seen to it that this person may.

    Nothing in it can run: its type was checked when it came, and its page is a sandbox.
    """
    stored = StoredFile.objects.get(id=file_id)
    return HttpResponse(
        store.get(stored.sha256),
        content_type=stored.media_type,
        headers={
            "Content-Disposition": "inline",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
        },
    )
