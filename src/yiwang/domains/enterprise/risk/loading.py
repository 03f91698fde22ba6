"""A pack of kind ``risk_points`` as a table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yiwang.engines.hub.contract import dataset_of
from yiwang.engines.hub.contracts import Dataset
from yiwang.kernel.packs.contracts import Library, Pack

from .contracts import Class, Evaluation, Fairness, Indicator, Repairs, Slot, Table


def table_of(pack: Pack, library: Library) -> Table:
    """The table that a pack describes.

    Raises:
        UnknownPack, KeyError: it names something that is not there (``packs check`` says so first).
    """
    data = pack.data
    used = {data["subjects"]["dataset"], *(i["dataset"] for i in data["indicators"])}
    if "repairs" in data:
        used.add(data["repairs"]["dataset"])
    datasets = {id: dataset_of(library.get("dataset", id), library) for id in sorted(used)}
    slots = tuple(
        Slot(e["id"], e["name"], g["id"], g["name"], g["cap"], e["weight"])
        for e in data["evaluations"]
        for g in data["groups"]
        if any((i["evaluation"], i["group"]) == (e["id"], g["id"]) for i in data["indicators"])
    )
    levels = {s["name"]: s for s in data["seriousness"]}
    places = {(s.evaluation, s.group): n for n, s in enumerate(slots)}
    subjects, f = data["subjects"], data["fairness"]
    rounding = data.get("rounding", {"rule": "up", "says": ""})  # releases of old have none
    return Table(
        id=pack.id,
        name=pack.name,
        version=pack.version,
        subjects=datasets[subjects["dataset"]],
        who=subjects["who"],
        opened=subjects["opened"],
        industry=subjects["industry"],
        new_days=data["new"]["days"],
        evaluations=tuple(
            Evaluation(e["id"], e["name"], e["weight"], e.get("delivered", False))
            for e in data["evaluations"]
        ),
        slots=slots,
        indicators=tuple(
            _indicator(i, levels[i["seriousness"]], places, datasets[i["dataset"]])
            for i in data["indicators"]
        ),
        classes=tuple(_class(c) for c in data["classes"]),
        repairs=Repairs(**data["repairs"]) if "repairs" in data else None,
        datasets=datasets,
        unrated_percent=float(data["unrated"]["percent"]),
        unrated_says=data["unrated"]["says"],
        unrated_times=data["unrated"].get("times", 1),
        unrated_within=data["unrated"].get("within_days", 365),
        rounding=rounding["rule"],
        rounding_says=rounding["says"],
        fairness=Fairness(
            f["hide_under"], f["size"], tuple(map(float, f["sizes"])), tuple(f["years"]), f["region"]
        ),
    )


def _indicator(
    i: Mapping[str, Any], level: Mapping[str, Any], places: Mapping[tuple[str, str], int], dataset: Dataset
) -> Indicator:
    event = i.get("event", {})
    law = i["basis"]
    return Indicator(
        id=i["id"],
        name=i["name"],
        slot=places[i["evaluation"], i["group"]],
        dataset=i["dataset"],
        when=i["when"],
        points=i["points"] * level["weight"],
        seriousness=i["seriousness"],
        since=i.get("since", dataset.valid_from),
        days=None if i.get("lasting") else i.get("days", level["max_days"]),
        min_days=level["min_days"],
        ends=i.get("ends", ""),
        space=event.get("space", i["dataset"]),
        event=tuple(event.get("fields", dataset.key)),
        industries=tuple(i.get("industries", ())),
        basis=f"《{law['law']}》{law.get('article', '')}",
        remedy=i["remedy"],
    )


def _class(c: Mapping[str, Any]) -> Class:
    s = c["sampling"]
    return Class(
        c["class"], c["name"], c["from"], float(s["percent"]), s["times"], s["within_days"],
        s.get("says", ""), c.get("notice_days", 0),
    )  # fmt: skip
