"""Who may call: a token with the scope, or a browser's session with its CSRF mark.

The views of this API carry no CSRF check of Django's, because a request that proves itself with a
bearer token is not sent by a browser on its own; one that rides on a session cookie is checked here.
"""

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from yiwang.kernel.access.contracts import Actor, Refused

_SAFE = {"GET", "HEAD", "OPTIONS"}


class Signed(AuthBase):
    """Somebody signed in, whose token (if it is one) has ``scope``."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Actor | None:
        if request.actor.user_id is None:
            return None
        if request.scopes is None:
            if request.method not in _SAFE and check_csrf(request) is not None:
                raise Refused(_("缺少或过期的 X-CSRFToken，请刷新页面后重试。"))
        elif self.scope not in request.scopes:
            raise Refused(_("令牌没有“%(scope)s”范围，请换一个令牌。") % {"scope": self.scope})
        return request.actor


read = Signed("read")
apply = Signed("apply")
handle = Signed("handle")
