"""Who gets in: officials who report data or look after it; the dataset must be theirs to see."""

from functools import wraps

from django.http import Http404
from django.shortcuts import redirect

from yiwang.engines.hub import datasets, queries
from yiwang.engines.hub.actions import REPORTER, STEWARD
from yiwang.engines.hub.contracts import Dataset


def data_staff(view):
    """Reporters and stewards only; visitors are sent to sign in, others find nothing here."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not request.actor.is_staff:
            return redirect(f"/accounts/login/?next={request.path}")
        roles = {role for held in request.actor.posts.values() for role in held}
        if not roles & {REPORTER, STEWARD}:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def seen(request, id: str) -> Dataset:
    """The dataset of that id. Raises Http404 when there is none or it is not the actor's to see."""
    found = datasets.find(id)
    if found is None or not queries.may_see(request.actor, found):
        raise Http404
    return found
