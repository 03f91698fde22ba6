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


def _asked(request: HttpRequest, case_id: UUID) -> tuple[cases.Case, dict[str, str]]:
    """The caller's own case and what was asked of him: key (a material's has an ``@``) → its name.

    Raises:
        Http404: it is nobody's or somebody else's.
        AlreadyChanged: nothing was ever asked for.
    """
    found = own_case(request, case_id)
    told = found.extra.get("supplement")
    if not told:
        raise cases.AlreadyChanged(_("这件办件没有待补正的内容。"))
    return found, {entry["key"]: entry["label"] for entry in told["items"]}


@router.post(
    "/cases/{uuid:case_id}/files/{key}", response=shapes.Stored, summary=gettext_lazy("上传一份要补正的材料")
)
def upload(request: HttpRequest, case_id: UUID, key: str, file: UploadedFile = File(...)):  # noqa: B008
    """Upload a material that was asked for, as multipart form data; it counts once the answer names it."""
    found, asked = _asked(request, case_id)
    if found.phase != cases.Phase.SUPPLEMENT:
        raise cases.AlreadyChanged(_("这件办件没有待补正的内容。"))
    if "@" not in key or key not in asked:
        raise cases.Incomplete([_not_asked(key, asked)])
    stored = take(request.actor, found.subject_id, file.name, file, found.id)
    return {"file": stored.id, "name": stored.name, "size": stored.size, "sha256": stored.sha256}


@router.post("/cases/{uuid:case_id}/answer", response=shapes.Done, summary=gettext_lazy("申请人答复补正"))
def answer(request: HttpRequest, case_id: UUID, body: shapes.SupplementAnswer):
    """Everything that was asked for, at once; what is missing or wrong is named and nothing is kept."""
    found, asked = _asked(request, case_id)
    plan, values, wrong = cases.plan_of(found), {}, []
    given = {**body.values, **body.files}
    wrong += [_not_asked(key, asked) for key in given if key not in asked]
    own = set(
        StoredFile.objects.filter(id__in=body.files.values(), case_id=found.id).values_list("id", flat=True)
    )
    for key, label in asked.items():
        if "@" in key:
            if body.files.get(key) not in own:
                wrong.append(FieldError(key, label, None, _("请上传%(name)s") % {"name": label}))
            continue
        value = body.values.get(key)
        values[key], fault = cases.clean_value(plan, key, "" if value is None else str(value))
        if fault or values[key] in (None, ""):
            wrong.append(FieldError(key, label, value, fault or _("请填写%(name)s") % {"name": label}))
    if wrong:
        raise cases.Incomplete(wrong)
    files = {key: str(file) for key, file in body.files.items()}
    mine = cases.in_item(found, values)
    return done(cases.answer_supplement(request.actor, found.id, mine, files, body.command_id))


def _not_asked(key: str, asked: dict[str, str]) -> FieldError:
    known = "、".join(asked)
    return FieldError(key, key, None, _("没有要求补正这一项。要补正的：%(known)s") % {"known": known})
