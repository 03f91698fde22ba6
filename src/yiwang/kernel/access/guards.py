"""Who gets to officials' pages at all; what he may see there is decided by ``rules``."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse


def officials(*roles: str) -> Callable:
    """Officials only; with ``roles``, those who hold one of them in any post.

    Visitors are sent to sign in. Whoever is signed in and does not belong here finds nothing: sending him to
    sign in would send him round in circles.
    """

    def decorate(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if request.actor.person_id is None:
                return redirect(f"{reverse('account_login')}?next={request.path}")
            held = {role for those in request.actor.posts.values() for role in those}
            if not request.actor.is_staff or (roles and not held & set(roles)):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return decorate


staff_only = officials()
