"""Reactions: a register record changed, a policy came into force, a publicity period ended, a payment is due."""

from typing import Any
from uuid import UUID

from yiwang.kernel.events.api import on

from . import payments, rejudging


@on("registers.changed")
def changed(body: dict[str, Any], trace_id: UUID | None) -> None:
    """Judge the enterprise anew, and keep the province's copy of its row."""
    rejudging.changed(body["register"], body["key"])


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
