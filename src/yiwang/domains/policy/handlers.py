"""Reactions: a register record changed, a policy came into force, a publicity period ended, a payment is due."""

from typing import Any
from uuid import UUID

from yiwang.kernel.events.api import on

from . import feeding, payments, rejudging


@on("registers.changed")
def changed(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Judge the enterprises anew, and keep the province's copy of their rows."""
    rejudging.changed(body["register"], body["keys"])


@on("hub.loaded")
def loaded(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A delivery may hold what policies read of an enterprise."""
    feeding.loaded(body["dataset"], body["seq"], body.get("touched"))


@on("policy.feed")
def feed(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Some of a delivery's enterprises: what policies read of them follows it."""
    feeding.feed(body["dataset"], body["keys"])


@on("policy.rejudge")
def rejudge(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Some of those that were judged before, by the policies of now."""
    rejudging.some([UUID(one) for one in body["subjects"]])


@on("policy.publicity-over")
def publicity_over(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Ask those on the list whether they want it."""
    payments.publicity_over(UUID(body["round"]))


@on("policy.pay")
def pay(body: dict[str, Any], trace_id: UUID | None) -> None:
    """The money moves, or the enterprise hears why not."""
    payments.pay(UUID(body["grant"]))


@on("policy.published")
def published(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Whom the new version gives or takes something hears of it."""
    rejudging.everybody()


@on("cases.closed")
def closed(body: dict[str, Any], trace_id: UUID | None) -> None:
    """A granted application goes on to its list."""
    if body["result"] == "granted":
        payments.granted(UUID(body["case"]))
