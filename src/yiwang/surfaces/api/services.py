"""Services: find one, and be told everything about it at once. For everybody."""

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router

from yiwang.domains.services.guide import guide
from yiwang.domains.services.search.queries import online_for

from . import shapes
from .reads import service

router = Router(auth=None, tags=["services"])


@router.get("/services", response=shapes.Services, summary=_("查找事项和“一件事”"))
def find(request: HttpRequest, q: str = Query("", max_length=60), limit: int = Query(20, ge=1, le=200)):
    """Bundles and items that fit plain words; all of them for none."""
    return {"items": [service(pack) for pack in online_for(q.strip(), limit)]}


@router.get("/services/{ref}", response=shapes.Guide, summary=_("一次告知：办一件事要什么"))
def told(request: HttpRequest, ref: str):
    """Items, fields, materials and open questions of a service."""
    found = guide(ref, {})
    if found is None:
        raise Http404
    plan = found.plan
    return service(found.pack) | {
        "version": found.pack.version,
        "items": found.items,
        "fields": [
            {
                "path": f.path,
                "label": f.label,
                "type": f.type,
                "origin": str(f.origin),
                "required": f.required,
            }
            for f in plan.fields
            if not f.supporting
        ],
        "materials": [
            {
                "key": m.key,
                "name": m.name,
                "holder": m.holder_label,
                "way": str(m.way),
                "required": m.required,
            }
            for m in plan.materials
        ],
        "situations": [{"id": s.id, "ask": s.ask, "why": s.why} for s in found.unknown],
    }
