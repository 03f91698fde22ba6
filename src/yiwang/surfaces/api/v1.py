"""The HTTP API for departments' systems, version 1. Thin: the verbs are the cases engine's own."""

from typing import Any

import orjson
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from . import access, answers, documents, drafts, hub, own, services, shapes, supplements, work

ROOT = "/api/v1/"


class _Json(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        return orjson.loads(request.body)


class _Rendered(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS)


api = NinjaAPI(
    title="yiwang 一网",
    version="1",
    description=str(_("部门系统对接接口。令牌由管理员发给账号，权限与账号在页面上的相同。")),
    docs_url=None,
    openapi_url=None,
    urls_namespace="api",
    parser=_Json(),
    renderer=_Rendered(),
)
answers.install(api)


@api.get("/me", response=shapes.Me, auth=access.read, tags=["me"], summary=_("令牌代表谁"))
def me(request: HttpRequest):
    """Whom the token stands for, where he holds posts, and what it may be used for."""
    actor = request.actor
    return {
        "name": actor.name,
        "acting_for": actor.acting_for.name if actor.acting_for else None,
        "scopes": None if request.scopes is None else sorted(request.scopes),
        "offices": {org: sorted(roles) for org, roles in actor.posts.items()},
        "today": timezone.localdate(),
    }


for room in (services, drafts, own, supplements, work, documents, hub):
    api.add_router("", room.router)


def schema() -> dict[str, Any]:
    """The OpenAPI 3.1 description, with the one shape of every error."""
    described: dict[str, Any] = orjson.loads(
        orjson.dumps(api.get_openapi_schema(path_prefix=ROOT), default=str, option=orjson.OPT_NON_STR_KEYS)
    )
    described["components"]["schemas"]["Error"] = shapes.Error.model_json_schema()
    refused = {
        "description": str(_("出错")),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for path in described["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = refused
    return described
