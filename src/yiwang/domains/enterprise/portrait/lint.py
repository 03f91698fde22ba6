"""What ``packs check`` says of an enterprise's file beyond its schema. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from yiwang.kernel.packs.contracts import Library, Pack, Problem

_PERSONAL = ("一般个人信息", "敏感个人信息")
Path = tuple[str | int, ...]


def lint(library: Library) -> Iterator[Problem]:
    """Everything wrong in packs of kind ``enterprise_file``."""
    for pack in library.all("enterprise_file"):
        for path, dataset, fields in _named(pack):
            yield from _fields(pack, path, dataset, fields, library)
        for n, fact in enumerate(pack.data["facts"]):
            sources = [s["dataset"] for s in fact["sources"]]
            if sources.count(fact["authority"]) != 1 or len(set(sources)) != len(sources):
                told = f"事实“{fact['name']}”的权威来源 {fact['authority']} 应当在 sources 里恰好一次，来源不能重复"
                yield pack.problem(("facts", n, "authority"), told, "改 authority，或删去重复的来源")
            for m, source in enumerate(fact["sources"]):
                if fact["compare"] == "mapped" and not source.get("values"):
                    told = f"事实“{fact['name']}”按共同的说法比，来源 {source['dataset']} 却没有 values"
                    yield pack.problem(("facts", n, "sources", m), told, "写明代码和共同的说法")


def _named(pack: Pack) -> Iterator[tuple[Path, str, list[str]]]:
    """Every dataset that is named, with the fields that are."""
    data = pack.data
    for n, section in enumerate(data["sections"]):
        for m, table in enumerate(section["tables"]):
            yield ("sections", n, "tables", m), table["dataset"], list(table["columns"])
    r = data["relations"]
    names = ("of", "of_name", "to", "to_name", "kind", "share", "since", "ends")
    yield ("relations",), r["dataset"], [r[k] for k in names]
    for n, fact in enumerate(data["facts"]):
        for m, source in enumerate(fact["sources"]):
            yield ("facts", n, "sources", m), source["dataset"], [source["field"]]


def _fields(pack: Pack, path: Path, dataset: str, fields: list[str], library: Library) -> Iterator[Problem]:
    there = {p.id: p for p in library.all("dataset")}
    found = there.get(dataset)
    if found is None:
        told = "、".join(sorted(there))
        yield pack.problem(path, f"数据集 {dataset} 不存在", f"改成其中之一：{told}", "L1")
        return
    if found.data["subject"]["entity"] != "ent":
        yield pack.problem(path, f"数据集 {dataset} 说的不是企业", "档案只收企业的数据，换一个数据集")
    for field in fields:
        spec = found.data["fields"].get(field)
        if spec is None:
            told = "、".join(found.data["fields"])
            yield pack.problem(path, f"数据集 {dataset} 没有字段 {field}", f"改成其中之一：{told}", "L1")
        elif spec["level"] in _PERSONAL:
            yield pack.problem(path, f"字段“{spec['name']}”是个人信息", "档案的栏目、关系和比对不用个人信息")
