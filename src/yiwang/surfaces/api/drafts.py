"""Drafts: an application filled in bit by bit, on several devices, and handed in once."""

from uuid import UUID

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import File, Router
from ninja.files import UploadedFile

from yiwang.engines.cases import api as cases
from yiwang.engines.cases.forms import FieldError
from yiwang.kernel.files.api import take

from . import access, reads, shapes

router = Router(auth=access.apply, tags=["drafts"])


def _draft(request: HttpRequest, draft_id: UUID) -> cases.Draft:
    found = cases.find_draft(request.actor, draft_id)
    if found is None:
        raise Http404
    return found


def _open(request: HttpRequest, draft_id: UUID) -> cases.Draft:
    found = _draft(request, draft_id)
    if found.submitted_at:
        raise cases.AlreadyChanged(str(_("这份申请已经提交，不能再改。")))
    return found


@router.get("/drafts", response=list[shapes.Draft], auth=access.read, summary=_("未提交的申请"))
def list_drafts(request: HttpRequest):
    """The caller's applications that are not handed in yet."""
    return [reads.draft(one) for one in cases.open_drafts(request.actor)]


@router.post("/drafts", response=shapes.Draft, summary=_("开始（或继续）一份申请"))
def open_draft(request: HttpRequest, body: shapes.OpenDraft):
    """The unfinished draft for a service, or a new one."""
    if not cases.offered(body.service):
        raise Http404
    return reads.draft(cases.open_draft(request.actor, body.service, body.answers))


@router.get("/drafts/{uuid:draft_id}/form", response=shapes.Form, summary=_("计算好的表单和已知的内容"))
def form(request: HttpRequest, draft_id: UUID):
    """The computed form, filled from the sign-in and the registers; what they told stays with the draft."""
    draft = _open(request, draft_id)
    filled = cases.fill(request.actor, draft)
    draft.save()
    return reads.form(draft, filled)


@router.put("/drafts/{uuid:draft_id}/pages/{page}", response=shapes.Form, summary=_("保存一页"))
def save_page(request: HttpRequest, draft_id: UUID, page: str, body: shapes.SavePage):
    """Keep the values of a page. Wrong or unknown ones are named, and nothing is kept.

    A repeating group is a list of objects under its role, all of its rows; ``groups`` of the form tells which.
    """
    draft = _open(request, draft_id)
    filled = cases.fill(request.actor, draft)
    there = {one.id for one in filled.plan.pages}
    rows, values = cases.unfolded(filled.plan, body.values)
    if rows:
        draft.answers = {**draft.answers, **rows}
        filled = cases.fill(request.actor, draft)
    if page not in there | {one.id for one in filled.plan.pages}:
        raise Http404
    tidy, errors = cases.taken(filled, values)
    if errors:
        raise cases.Incomplete(errors)
    saved = cases.save_page(request.actor, draft.id, page, tidy, {}, body.revision, rows)
    filled = cases.fill(request.actor, saved)
    saved.save()
    return reads.form(saved, filled)


@router.post("/drafts/{uuid:draft_id}/answers", response=shapes.Form, summary=_("回答情形问题"))
def answer(request: HttpRequest, draft_id: UUID, body: shapes.Answers):
    """Answer situations; they decide what is asked from here on."""
    filled = cases.fill(request.actor, _open(request, draft_id))
    known = {situation.id for situation in filled.plan.situations}
    wrong = [
        FieldError(k, k, v, str(_("没有这个情形问题"))) for k, v in body.answers.items() if k not in known
    ]
    if wrong:
        raise cases.Incomplete(wrong)
    cases.answer_situations(request.actor, draft_id, body.answers)
    return form(request, draft_id)


@router.post("/drafts/{uuid:draft_id}/files/{key}", response=shapes.Stored, summary=_("上传一份材料"))
def upload(request: HttpRequest, draft_id: UUID, key: str, file: UploadedFile = File(...)):  # noqa: B008
    """Upload a material, as multipart form data; ``key`` is that of the form's material."""
    draft = _open(request, draft_id)
    filled = cases.fill(request.actor, draft)
    if key not in {material.key for material in filled.plan.uploads}:
        raise Http404
    stored = take(request.actor, draft.subject_id, file.name, file, draft.id, draft.org_id)
    page = filled.plan.pages[-1].id
    cases.save_page(request.actor, draft.id, page, {}, {key: str(stored.id)}, draft.revision)
    return {"file": stored.id, "name": stored.name, "size": stored.size, "sha256": stored.sha256}


@router.post("/drafts/{uuid:draft_id}/submit", response=shapes.Made, summary=_("提交"))
def submit(request: HttpRequest, draft_id: UUID, body: shapes.Submit):
    """Hand the application in. Submitting twice makes one case."""
    _draft(request, draft_id)
    case_id = cases.submit(request.actor, draft_id, body.pledges)
    return cases.made(case_id)
