"""What every template may use."""

from django.conf import settings

MODES = ("standard", "elder")


def shell(request):
    """Reading mode (from the cookie, so that the server draws it and nothing flickers), demo flag, actor."""
    mode = request.COOKIES.get("mode", "standard")
    return {
        "mode": mode if mode in MODES else "standard",
        "demo": settings.ENV.demo,
        "actor": getattr(request, "actor", None),
    }
