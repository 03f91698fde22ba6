"""A session that ended in mid-form loses nothing."""

from django.shortcuts import redirect
from django.urls import reverse

HELD = "held_form"  # what was typed when the session had ended, kept until the same person is back


def hold(request):
    """The session ended in mid-form: keep what was typed, sign in, and put it back."""
    if request.method == "POST":
        typed = {k: v for k, v in request.POST.items() if k != "csrfmiddlewaretoken"}
        request.session[HELD] = {"path": request.path, "values": typed}
    return redirect(f"{reverse('account_login')}?next={request.path}")
