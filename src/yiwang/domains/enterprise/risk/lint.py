"""What ``packs check`` says of points tables beyond their schema. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from yiwang.engines.hub.contract import dataset_of
from yiwang.engines.hub.contracts import Dataset, NotTranslatable, Type
from yiwang.engines.hub.feelsql import Translator
from yiwang.kernel.packs.contracts import Library, Pack, Problem

_PERSONAL = "一般个人信息"


def lint(library: Library) -> Iterator[Problem]:
    """Everything wrong in the points tables of a library."""
    for pack in library.all("risk_points"):
        yield from _numbers(pack)
        missing = list(_datasets(pack, library))
        yield from missing
        if not missing:
            yield from _indicators(pack, library)


def _numbers(pack: Pack) -> Iterator[Problem]:
    data = pack.data
    weights = sum(e["weight"] for e in data["evaluations"])
    if weights != 100:
        yield pack.problem(("evaluations",), f"各评价的权重合计 {weights}，不是 100", "改成合计 100")
    lines = [c["from"] for c in data["classes"]]
    if lines != sorted(set(lines)) or lines[0] != 0:
        yield pack.problem(("classes",), "档线没有从 0 起逐类升高", "从好到坏写，第一类从 0 分起")


def _datasets(pack: Pack, library: Library) -> Iterator[Problem]:
    data = pack.data
    used: list[tuple[tuple[str | int, ...], str]] = [(("subjects", "dataset"), data["subjects"]["dataset"])]
    used += [(("indicators", n, "dataset"), i["dataset"]) for n, i in enumerate(data["indicators"])]
    if "repairs" in data:
        used.append((("repairs", "dataset"), data["repairs"]["dataset"]))
    there = {p.id for p in library.all("dataset")}
    for path, id in used:
        if id not in there:
            told = "、".join(sorted(there))
            yield pack.problem(path, f"数据集 {id} 不存在", f"改成其中之一：{told}", "L1")


def _indicators(pack: Pack, library: Library) -> Iterator[Problem]:
    data = pack.data
    levels = {s["name"]: s for s in data["seriousness"]}
    groups = {g["id"] for g in data["groups"]}
    evaluations = {e["id"] for e in data["evaluations"]}
    spaces: dict[str, tuple[str, str]] = {}
    seen: set[str] = set()
    for n, i in enumerate(data["indicators"]):
        path = ("indicators", n)
        dataset = dataset_of(library.get("dataset", i["dataset"]), library)
        for part, known in (("group", groups), ("evaluation", evaluations), ("seriousness", set(levels))):
            if i[part] not in known:
                told = "、".join(sorted(known))
                yield pack.problem(
                    (*path, part), f"指标 {i['id']} 的 {part} “{i[part]}”不存在", f"改成：{told}"
                )
        if i["id"] in seen:
            yield pack.problem(path, f"指标 {i['id']} 重复", "换一个标识")
        seen.add(i["id"])
        level = levels.get(i["seriousness"])
        if level and i.get("days", 0) > level["max_days"]:
            what = (
                f"指标 {i['id']} 影响 {i['days']} 天，长于“{i['seriousness']}”最长的 {level['max_days']} 天"
            )
            yield pack.problem((*path, "days"), what, "缩短天数，或改轻重")
        yield from _fields(pack, path, i, dataset)
        space = i.get("event", {}).get("space", i["dataset"])
        where = (i["evaluation"], i["group"])
        if spaces.setdefault(space, where) != where:
            what = f"指标 {i['id']} 与同一事件范围 {space} 的其他指标不在同一评价、同一组"
            yield pack.problem(path, what, "放进同一组，或给它另写 event.space；否则多一条记录分数可能反而低")


def _fields(pack: Pack, path: tuple[str | int, ...], i: dict, dataset: Dataset) -> Iterator[Problem]:  # type: ignore[type-arg]
    named = [i[k] for k in ("since", "ends") if k in i] + list(i.get("event", {}).get("fields", ()))
    for id in named:
        if id not in dataset.by_id:
            told = "、".join(f.id for f in dataset.fields)
            yield pack.problem(path, f"数据集 {dataset.id} 没有字段 {id}", f"改成其中之一：{told}", "L1")
    for k in ("since", "ends"):
        if i.get(k) in dataset.by_id and dataset.field(i[k]).type not in (Type.DATE, Type.DATETIME):
            yield pack.problem((*path, k), f"字段 {i[k]} 不是日期", "改成日期字段")
    used: set[str] = set()

    def column(id: str) -> str:
        used.add(id)
        return id

    try:
        Translator(dataset, column, "as_of").condition(i["when"])
    except NotTranslatable as error:
        yield pack.problem((*path, "when"), f"指标 {i['id']} 的条件不能用：{error}", "改写条件")
    for id in sorted(used):
        if id in dataset.by_id and dataset.field(id).level == _PERSONAL:
            what = f"指标 {i['id']} 用了个人信息“{dataset.field(id).name}”"
            yield pack.problem((*path, "when"), what, "企业分类不看任何个人，换一个条件")
