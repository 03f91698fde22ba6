"""What every template may use."""

from django.conf import settings
from django.utils.translation import get_language

MODES = ("standard", "elder")


def shell(request):
    """Reading mode (from the cookie, so that the server draws it and nothing flickers), demo flag, actor."""
    mode = request.COOKIES.get("mode", "standard")
    return {
        "LANGUAGE_CODE": get_language(),
        "mode": mode if mode in MODES else "standard",
        "demo": settings.ENV.demo,
        "actor": getattr(request, "actor", None),
    }
