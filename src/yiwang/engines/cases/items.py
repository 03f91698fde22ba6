"""What a case's pack says: its limits, grounds, authority, flow. Cached per release."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from yiwang.kernel.calendar.rules import Limit, Unit
from yiwang.kernel.packs import api as packs

from . import forms
from .flow import Graph, compile_bpmn
from .models import Flow


@dataclass(frozen=True)
class Item:
    """The parts of a service item or bundle that running a case needs.

    legal, promised, correction, extension: limits, None where the pack gives none.
    instant: 即办件 and matters, whose clock starts with the application.
    """

    data: dict[str, Any]
    flow_file: str
    instant: bool
    legal: Limit | None
    promised: Limit | None
    correction: Limit | None
    extension: Limit | None


def _limit(time: dict[str, Any], name: str) -> Limit | None:
    entry = time.get(name)
    return Limit(entry["value"], Unit(entry["unit"])) if entry else None


@lru_cache(maxsize=512)
def item(release: str, kind: str, ref: str, overlay: str = "") -> Item:
    """The item of a case, from the release the case began with.

    Args:
        overlay: id of the local overlay that the case was filed under, or empty.
    """
    library = packs.library(release)
    data = dict(library.get(kind, ref).data)
    if overlay:
        data = forms.overlaid(data, library.get("overlay", overlay).data)
    time = data.get("time", {})
    return Item(
        data=data,
        flow_file=f"base/flows/{data.get('flow', 'std.bundle')}.bpmn",
        instant=data.get("form_of_case") == "即办件" or kind == "matter",
        legal=_limit(time, "legal"),
        promised=_limit(time, "promised"),
        correction=_limit(time, "correction"),
        extension=_limit(data.get("extension", {}), "max"),
    )


@lru_cache(maxsize=128)
def publish(release: str, file: str) -> str:
    """Compile a flow of a release and store it by hash; returns the hash.

    Raises:
        FlowRejected: with every problem named.
    """
    import hashlib

    xml = packs.asset(release, file)
    sha256 = hashlib.sha256(xml).hexdigest()
    Flow.objects.get_or_create(
        sha256=sha256,
        defaults={
            "key": file.rsplit("/", 1)[-1].removesuffix(".bpmn"),
            "xml": xml.decode(),
            "graph": compile_bpmn(xml).to_json(),
        },
    )
    return sha256


@lru_cache(maxsize=256)
def graph(flow_sha256: str) -> Graph:
    """The compiled graph of a stored flow."""
    return Graph.from_json(Flow.objects.values_list("graph", flat=True).get(sha256=flow_sha256))
