"""A pack of kind ``enterprise_file`` as a plan. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yiwang.engines.hub.contract import dataset_of
from yiwang.kernel.packs.contracts import Library, Pack

from .contracts import Columns, Fact, FilePlan, Relations, Section, Source


def plan_of(pack: Pack, library: Library) -> FilePlan:
    """The plan that a pack describes.

    Raises:
        UnknownPack, KeyError: it names something that is not there (``packs check`` says so first).
    """
    data = pack.data
    r = data["relations"]
    words = {code: (w["of"], w["to"]) for code, w in r["words"].items()}
    return FilePlan(
        sections=tuple(
            Section(
                s["id"], s["name"], tuple(Columns(t["dataset"], tuple(t["columns"])) for t in s["tables"])
            )
            for s in data["sections"]
        ),
        relations=Relations(**{**r, "words": words}),
        facts=tuple(_fact(f, library) for f in data["facts"]),
    )


def _fact(f: Mapping[str, Any], library: Library) -> Fact:
    sources = [
        Source(
            dataset_of(library.get("dataset", s["dataset"]), library),
            s["field"], dict(s.get("values", {})), tuple(s.get("complete", ())),
        )
        for s in f["sources"]
    ]  # fmt: skip
    (authority,) = (s for s in sources if s.dataset.id == f["authority"])
    others = tuple(s for s in sources if s is not authority)
    return Fact(f["id"], f["name"], f["compare"], authority, others)
