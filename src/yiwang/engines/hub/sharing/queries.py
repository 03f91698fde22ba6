"""Reads: the catalogue, a masked preview, requests, grants and the use made of them."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet, Sum
from django.db.utils import Error
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.engines.hub import datasets
from yiwang.engines.hub.actions import REPORTER, is_steward
from yiwang.engines.hub.contracts import Dataset
from yiwang.engines.hub.models import Delivery, Quality, SharingGrant, SharingRequest, SharingUse
from yiwang.engines.hub.queries import Line, kind_of, lines_of
from yiwang.engines.hub.words import code_said
from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.access.session import as_system
from yiwang.kernel.ids import new_id
from yiwang.kernel.ledger.purposes import purpose_of
from yiwang.kernel.packs import api as packs
from yiwang.kernel.packs.contracts import Pack

from . import dcat
from .actions import rules
from .contracts import Class
from .reading import Unsettled, sqlstate

PREVIEW = 5


def entries(text: str = "", department: str = "", sharing: str = "") -> list[Line]:
    """The catalogue: every dataset that matches, whatever office asks. It says what there is, no record.

    Args:
        text: words, each of which must stand in the name, summary, department, or a field's name.
    """
    found = []
    for line in lines_of(datasets.every()):
        d = line.dataset
        if (department and d.department != department) or (sharing and d.sharing != sharing):
            continue
        said = " ".join(
            [d.id, d.name, d.summary, d.department, d.sharing, *(f.name for f in d.fields)]
        ).lower()
        if all(word in said for word in text.lower().split()):
            found.append(line)
    return found


def interfaces(text: str = "") -> list[Pack]:
    """Registers that pages and forms look things up in: the catalogue's interfaces."""
    words = text.lower().split()
    return [
        pack
        for pack in packs.current().all("register")
        if all(
            w in f"{pack.id} {pack.name} {json.dumps(pack.data, ensure_ascii=False)}".lower() for w in words
        )
    ]


def preview(actor: Actor, dataset: Dataset) -> list[list[str]]:
    """A few records, everything masked that is not public; noted in the ledger. Nothing for what is not shared.

    Raises:
        Unsettled: see there.
    """
    if dataset.sharing == Class.CLOSED:
        return []
    why = purpose_of(rules().purpose)
    fields = [{"id": f.id, "level": f.level} for f in dataset.fields]
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select v from hub_preview(%s, %s, %s, %s::jsonb, %s, %s, %s) v",
                [new_id(), dataset.id, kind_of(dataset), json.dumps(fields), PREVIEW, why.name, why.basis],
            )
            rows = [json.loads(v) if isinstance(v, str) else v for (v,) in cursor.fetchall()]
    except Error as error:
        if sqlstate(error) == "YG004":
            raise Unsettled from None
        raise
    return [[code_said(dataset, f.id, row.get(f.id)) for f in dataset.fields] for row in rows]


def sources(actor: Actor, dataset: Dataset, most: int = 5) -> list[dict[str, Any]]:
    """The deliveries that made a dataset what it is, the latest first: file, hash, rows, quality. No record.

    Read as the system: the lineage of a catalogue entry is for whoever may ask for it.
    """
    with as_system(actor):
        found = list(Delivery.objects.filter(dataset=dataset.id, state="loaded").order_by("-seq")[:most])
        scores = {q.delivery_id: q.score for q in Quality.objects.filter(delivery__in=[d.pk for d in found])}
    return [
        {
            "seq": d.seq, "uid": d.uid, "name": d.name, "sha256": d.sha256, "as_of": d.as_of, "loaded_at": d.loaded_at,
            "good": d.counts.get("good", 0), "bad": d.counts.get("bad", 0), "score": scores.get(d.pk),
        }
        for d in found
    ]  # fmt: skip


def history(dataset: Dataset) -> list[Quality]:
    """The quality of a dataset over time, the oldest first."""
    return list(reversed(Quality.objects.filter(dataset=dataset.id).order_by("-at")[:30]))


def requests_to_answer(actor: Actor) -> QuerySet[SharingRequest]:
    """Requests that the actor's offices have to answer, the most urgent first."""
    mine = [org for org, roles in actor.posts.items() if REPORTER in roles]
    asked = SharingRequest.objects.filter(source__in=mine, state=SharingRequest.State.ASKED)
    return asked.exclude(person_id=actor.person_id).select_related("org").order_by("due_at")


def requests_of(actor: Actor) -> QuerySet[SharingRequest]:
    """What the actor's offices have asked for, the latest first."""
    return SharingRequest.objects.filter(org__in=list(actor.posts)).select_related("source").order_by("-at")


def request_of(id: UUID) -> SharingRequest | None:
    """One request that row-level security lets the actor see."""
    return SharingRequest.objects.filter(id=id).select_related("org", "source").first()


def grants_of(actor: Actor) -> QuerySet[SharingGrant]:
    """Grants of the actor's offices, those that end first at the front."""
    return SharingGrant.objects.filter(org__in=list(actor.posts)).select_related("source").order_by("-until")


def grants_given(actor: Actor) -> QuerySet[SharingGrant]:
    """Grants that the actor's offices have given."""
    mine = [org for org, roles in actor.posts.items() if REPORTER in roles]
    return SharingGrant.objects.filter(source__in=mine).select_related("org").order_by("-until")


def grants_behind(use_ids: Iterable[UUID]) -> dict[UUID, SharingGrant]:
    """The grants under which uses of the ledger were made, by the use, of those that the actor sees."""
    found = SharingUse.objects.filter(use_id__in=list(use_ids)).select_related("grant")
    return {use.use_id: use.grant for use in found}


def grant_of(id: UUID) -> SharingGrant | None:
    """One grant that row-level security lets the actor see: of its user, its source, and stewards."""
    return SharingGrant.objects.filter(id=id).select_related("org", "source", "request").first()


def used_today(grants: Iterable[SharingGrant]) -> dict[UUID, int]:
    """Records read today under each of some grants, by the grant's id."""
    uses = SharingUse.objects.filter(grant__in=[g.id for g in grants], day=timezone.localdate())
    return dict(uses.values("grant").annotate(n=Sum("records")).values_list("grant", "n"))


def use_by_day(grant: SharingGrant, days: int = 90) -> list[dict[str, Any]]:
    """The usage report: reads, records, those of them told to be gone, and callers by day, the latest first."""
    since = timezone.localdate() - timedelta(days=days)
    found = grant.uses.filter(day__gte=since).values("day")
    counted = found.annotate(
        reads=Count("id"), taken=Sum("records"), left=Sum("gone"), callers=Count("actor", distinct=True)
    )
    return list(counted.order_by("-day"))


def in_force_of(dataset: Dataset) -> int:
    """How many grants of a dataset are in force, of those that the actor sees."""
    today = timezone.localdate()
    found = SharingGrant.objects.filter(dataset=dataset.id, since__lte=today, until__gte=today)
    return found.filter(revoked_at=None).count()


def concerns(actor: Actor, one: SharingRequest | SharingGrant) -> bool:
    """Whether a request or grant is the actor's to see: of his office, of the source, or as a steward."""
    return is_steward(actor) or bool({one.org_id, one.source_id} & set(actor.posts))


def exported(root: str, endpoint: str) -> dict[str, Any]:
    """The catalogue as DCAT-AP. Arguments: see ``dcat.catalogue``."""
    library = packs.current()
    told = [
        dcat.dataset(
            one.dataset,
            library.get("dataset", one.dataset.id),
            root,
            one.as_of,
            one.quality.score if one.quality else None,
        )
        for one in lines_of(datasets.every())
    ]
    summary = _("部门之间可以共享的数据集和接口")
    return dcat.catalogue(
        _("数据目录"), summary, _("数据主管部门"), root, told, endpoint, timezone.localtime()
    )
