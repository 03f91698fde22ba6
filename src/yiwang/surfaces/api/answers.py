"""Errors of the API: one JSON shape, whatever went wrong, and nothing is kept of a request that failed."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from yiwang.engines.cases import api as cases
from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.files.rules import NotTaken

log = logging.getLogger(__name__)


def error(
    status: int, code: str, message: str, fields: Mapping[str, str] | None = None, **headers: str
) -> JsonResponse:
    """The one shape of an error. Its transaction is rolled back: an error has changed nothing."""
    if transaction.get_connection().in_atomic_block:
        transaction.set_rollback(True)
    return JsonResponse(
        {"error": code, "message": message, "fields": dict(fields or {})},
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        json_dumps_params={"ensure_ascii": False},
    )


def unauthenticated() -> JsonResponse:
    """401."""
    text = _("请用有效的令牌访问：Authorization: Bearer 令牌。令牌可能写错、到期或已被收回。")
    return error(401, "unauthenticated", text, **{"WWW-Authenticate": "Bearer"})


def not_found() -> JsonResponse:
    """404, the same whether there is no such thing or it is not the caller's."""
    return error(404, "not-found", _("没有找到，或您无权查看。"))


def install(api: NinjaAPI) -> None:
    """Make every refusal of the API answer in the one shape."""

    def on(kind: type[Exception]):
        return api.exception_handler(kind)

    @on(AuthenticationError)
    def _unauthenticated(request: HttpRequest, exc: Exception):
        return unauthenticated()

    @on(Http404)
    @on(cases.NotThere)
    def _missing(request: HttpRequest, exc: Exception):
        return not_found()

    @on(cases.Incomplete)
    def _incomplete(request: HttpRequest, exc: cases.Incomplete):
        return error(422, "incomplete", str(exc), {e.path: e.message for e in exc.errors})

    @on(cases.AlreadyChanged)
    @on(cases.SavedElsewhere)
    def _conflict(request: HttpRequest, exc: Exception):
        return error(409, "conflict", str(exc))

    @on(Refused)
    def _refused(request: HttpRequest, exc: Refused):
        return error(403, "refused", str(exc))

    @on(NotTaken)
    def _not_taken(request: HttpRequest, exc: NotTaken):
        return error(422, "file-not-taken", str(exc), {"file": str(exc)})

    @on(HttpError)
    def _unreadable(request: HttpRequest, exc: HttpError):
        if exc.status_code == 400:  # the only one ninja raises itself: a body that is no JSON
            return error(422, "malformed", _("请求体不是有效的 JSON：%(why)s") % {"why": _why(request)})
        return error(exc.status_code, "refused", str(exc))

    @on(ValidationError)
    def _invalid(request: HttpRequest, exc: ValidationError):
        fields = dict(_named(exc.errors))
        listed = "；".join(f"{path}：{text}" for path, text in list(fields.items())[:5])
        return error(422, "invalid", _("请求里有不对的内容。%(listed)s") % {"listed": listed}, fields)


def _why(request: HttpRequest) -> str:
    import json

    try:
        json.loads(request.body)
    except json.JSONDecodeError as wrong:
        return _("第 %(line)s 行第 %(column)s 列") % {"line": wrong.lineno, "column": wrong.colno}
    except UnicodeDecodeError:
        return _("不是 UTF-8 编码")
    return _("无法读取")


_WRONG = {
    "missing": lambda e: _("缺少这一项"),
    "extra_forbidden": lambda e: _("没有这一项，请删去或核对拼写"),
    "uuid_parsing": lambda e: _("应是 UUID，如 0190f3c2-…"),
    "uuid_type": lambda e: _("应是 UUID，如 0190f3c2-…"),
    "string_type": lambda e: _("应是文本"),
    "string_too_long": lambda e: _("太长：最多 %(n)s 个字") % {"n": e["ctx"]["max_length"]},
    "string_too_short": lambda e: _("太短：至少 %(n)s 个字") % {"n": e["ctx"]["min_length"]},
    "bool_type": lambda e: _("应是 true 或 false"),
    "bool_parsing": lambda e: _("应是 true 或 false"),
    "int_type": lambda e: _("应是整数"),
    "int_parsing": lambda e: _("应是整数"),
    "list_type": lambda e: _("应是列表"),
    "dict_type": lambda e: _("应是对象"),
    "model_attributes_type": lambda e: _("应是 JSON 对象"),
    "greater_than_equal": lambda e: _("不能小于 %(n)s") % {"n": e["ctx"]["ge"]},
    "less_than_equal": lambda e: _("不能大于 %(n)s") % {"n": e["ctx"]["le"]},
    "literal_error": lambda e: _("可选：%(known)s") % {"known": e["ctx"]["expected"]},
}


def _named(errors: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    """Each error of pydantic as (path, sentence); the first words of a path say only where it was read."""
    for one in errors:
        place = [str(part) for part in one["loc"]]
        inside = place[2:] if place[:1] == ["body"] else place[1:]
        say = _WRONG.get(one["type"], lambda e: _("不对：%(why)s") % {"why": e["msg"]})
        yield ".".join(inside) or "body", say(one)
