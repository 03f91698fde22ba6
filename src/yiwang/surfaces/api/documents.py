"""Signed documents: what a case has, download, and the public check by code."""

from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Router

from yiwang.domains.services.screens.own import pdf
from yiwang.engines.cases import api as cases
from yiwang.kernel.documents import api as documents
from yiwang.kernel.documents.models import IssuedDocument
from yiwang.kernel.files import store

from . import access, reads, shapes
from .own import seen

router = Router(auth=access.read, tags=["documents"])


def _find(request: HttpRequest, document_id: UUID) -> IssuedDocument:
    found = IssuedDocument.objects.filter(documents.readable(request.actor), id=document_id).first()
    if found is None:
        raise Http404
    return found


@router.get("/cases/{uuid:case_id}/documents", response=shapes.Documents, summary=_("办件的文书和证照"))
def of_case(request: HttpRequest, case_id: UUID):
    """Signed documents of a case and, for a bundle, of its children, as far as the caller may see them."""
    found = cases.documents_of(seen(request, case_id))
    return {"items": [reads.document(one) for one in found]}


@router.get("/documents/{uuid:document_id}", response=shapes.Document, summary=_("一份文书的信息"))
def get(request: HttpRequest, document_id: UUID):
    """What a signed document says of itself."""
    return reads.document(_find(request, document_id))


@router.get("/documents/{uuid:document_id}/content", summary=_("下载文书（PDF）"))
def content(request: HttpRequest, document_id: UUID):
    """The signed PDF."""
    found = _find(request, document_id)
    return pdf(store.get(found.sha256), f"{found.title}-{found.number}")


@router.get("/verify/{code}", response=shapes.Verified, auth=None, summary=_("凭查验码核验"))
def verify(request: HttpRequest, code: str):
    """What the public may know of a document whose code it holds."""
    found = documents.verify(code)
    if found is None:
        raise Http404
    return {
        "title": found.title,
        "number": found.number,
        "office": found.org_name,
        "subject": found.subject_name,
        "issued_at": found.issued_at,
        "revoked_at": found.revoked_at,
        "sha256": found.sha256,
    }
