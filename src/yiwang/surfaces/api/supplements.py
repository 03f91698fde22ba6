"""What the applicant hands in after the fact: the files and values that an office asked for, in one answer."""

from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import File, Router
from ninja.files import UploadedFile

from yiwang.domains.services.screens.own import own_case
from yiwang.engines.cases import api as cases
from yiwang.engines.cases.forms import FieldError
from yiwang.kernel.files.api import take
from yiwang.kernel.files.models import StoredFile

from . import access, shapes
from .work import done

router = Router(auth=access.apply, tags=["cases"])


def _waiting(request: HttpRequest, case_id: UUID) -> cases.Case:
    """The caller's own case, of which something was asked. Raises Http404, AlreadyChanged."""
    found = own_case(request, case_id)
    if not found.extra.get("supplement"):
        raise cases.AlreadyChanged(_("这件办件没有待补正的内容。"))
    return found


@router.post(
    "/cases/{uuid:case_id}/files/{key}", response=shapes.Stored, summary=gettext_lazy("上传一份要补正的材料")
)
def upload(request: HttpRequest, case_id: UUID, key: str, file: UploadedFile = File(...)):  # noqa: B008
    """Upload a material that was asked for, as multipart form data; it counts once the answer names it."""
    found = _waiting(request, case_id)
    if found.phase != cases.Phase.SUPPLEMENT:
        raise cases.AlreadyChanged(_("这件办件没有待补正的内容。"))
    _tidy, wrong = cases.check_supplement(found, {}, [key])
    unasked = [one for one in wrong if one.path == key]
    if unasked or "@" not in key:
        raise cases.Incomplete(unasked or wrong)
    stored = take(request.actor, found.subject_id, file.name, file, found.id)
    return {"file": stored.id, "name": stored.name, "size": stored.size, "sha256": stored.sha256}


@router.post("/cases/{uuid:case_id}/answer", response=shapes.Done, summary=gettext_lazy("申请人答复补正"))
def answer(request: HttpRequest, case_id: UUID, body: shapes.SupplementAnswer):
    """Everything that was asked for, at once; what is missing or wrong is named and nothing is kept."""
    found = _waiting(request, case_id)
    own = set(
        StoredFile.objects.filter(id__in=body.files.values(), case_id=found.id).values_list("id", flat=True)
    )
    files = {key: str(file) for key, file in body.files.items() if file in own}
    values, wrong = cases.check_supplement(found, body.values, files)
    foreign = [key for key, file in body.files.items() if file not in own]
    wrong += [FieldError(k, k, None, _("没有这份文件，请先上传到这件办件。")) for k in foreign]
    if wrong:
        raise cases.Incomplete(wrong)
    return done(cases.answer_supplement(request.actor, found, values, files, body.command_id))
