"""The portal's own pages: home, reading mode, demo sign-in."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from yiwang.domains.services.search.queries import online
from yiwang.engines.cases import api as cases
from yiwang.kernel.access.session import as_system
from yiwang.kernel.accounts.models import User
from yiwang.kernel.accounts.queries import demo_users
from yiwang.kernel.orgs.models import Post
from yiwang.kernel.ui.context import MODES


@require_GET
def home(request):
    """Where a resident begins."""
    mine = cases.own(request.actor)[:3] if request.actor.person_id else []
    services = online()
    return render(
        request,
        "portal/home.html",
        {
            "mine": mine,
            "bundles": [p for p in services if p.kind == "bundle"],
            "items": [p for p in services if p.kind != "bundle"],
        },
    )


def _back(request) -> str:
    target = request.POST.get("next", "/")
    return target if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}) else "/"


@require_POST
def mode(request):
    """Switch between standard and elder reading mode; the same pages, larger."""
    response = redirect(_back(request))
    if request.POST.get("mode") in MODES:
        response.set_cookie("mode", request.POST["mode"], max_age=31536000, samesite="Lax", httponly=True)
    return response


@require_POST
def demo_sign_in(request):
    """Become one of the demo world's people. Exists in demo mode only."""
    if not settings.ENV.demo:
        raise Http404
    user = User.objects.exclude(demo_role="").filter(username=request.POST.get("username", "")).first()
    if user is None:
        return redirect(f"/accounts/login/?{urlencode({'next': _back(request)})}")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    target = _back(request)
    return redirect(
        "/desk" if target == "/" and Post.objects.filter(person_id=user.person_id).exists() else target
    )


def demo_list(actor):
    """The demo sign-in list, for the sign-in page."""
    if not settings.ENV.demo:
        return []
    with as_system(actor):
        return list(demo_users())
