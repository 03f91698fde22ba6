"""Who gets in: officials who report data or look after it; the dataset must be theirs to see."""

from django.http import Http404

from yiwang.engines.hub import datasets, queries
from yiwang.engines.hub.actions import REPORTER, STEWARD
from yiwang.engines.hub.contracts import Dataset
from yiwang.kernel.access.guards import officials

data_staff = officials(REPORTER, STEWARD)
"""Reporters and stewards of data."""


def seen(request, id: str) -> Dataset:
    """The dataset of that id. Raises Http404 when there is none or it is not the actor's to see."""
    found = datasets.find(id)
    if found is None or not queries.may_see(request.actor, found):
        raise Http404
    return found
