"""Checks of the packs that help people find things: synonyms, life events, elements of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from yiwang.kernel.packs.contracts import Library, Pack, Problem


def words(library: Library) -> Iterator[Problem]:
    """Everything wrong in these kinds beyond their schemas."""
    for rule in (_synonyms, _life_maps, _elements):
        yield from rule(library)


def _synonyms(library: Library) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for pack in library.all("synonyms"):
        for part in ("groups", "deeds"):
            for n, group in enumerate(pack.data.get(part, ())):
                for word in group:
                    if word in seen:
                        what = f"“{word}”已经在“{seen[word]}”那一组"
                        yield pack.problem((part, n), what, "一个词只放一组，或把两组合为一组")
                    seen.setdefault(word, group[0])
        for n, word in enumerate(pack.data.get("ignore", ())):
            if word in seen:
                what = f"“{word}”既要略去，又在“{seen[word]}”那一组"
                yield pack.problem(("ignore", n), what, "二者留一")


def _life_maps(library: Library) -> Iterator[Problem]:
    ids: set[str] = set()
    names: dict[str, set[str]] = {}
    for pack in library.all("life_map"):
        mine = names.setdefault(pack.data["subject"], set())
        for n, stage in enumerate(pack.data["stages"]):
            if stage["id"] in ids:
                yield pack.problem(("stages", n), f"阶段标识 {stage['id']} 重复", "一个标识只用一次")
            if stage["name"] in mine:
                yield pack.problem(("stages", n), f"阶段“{stage['name']}”重复", "合为一个")
            ids.add(stage["id"])
            mine.add(stage["name"])
    if not names:
        return
    for pack in library.all("bundle"):
        stage = pack.data.get("stage")
        if not stage:
            continue
        there = names.get(stage.get("subject", ""), set())
        if stage.get("life") not in there:
            what = f"{stage.get('subject', '')}没有“{stage.get('life', '')}”这个阶段"
            yield pack.problem(("stage",), what, f"改成其中之一：{'、'.join(sorted(there))}", "L1")


def _elements(library: Library) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    keys: set[str] = set()
    for pack in library.all("catalogue_elements"):
        for n, element in enumerate(pack.data["elements"]):
            path = ("elements", n)
            if element["key"] in keys:
                yield pack.problem(path, f"要素 {element['key']} 重复", "一个要素只写一次")
            keys.add(element["key"])
            for name in (element["name"], *element.get("also", ())):
                if name in seen:
                    yield pack.problem(
                        path, f"列名“{name}”已经是“{seen[name]}”的叫法", "一个列名只归一个要素"
                    )
                seen.setdefault(name, element["name"])
            if element["need"] != "可选" and "remedy" not in element:
                yield pack.problem(path, f"要素“{element['name']}”必须有，却没写缺了怎么补", "写上 remedy")
        yield from _needed(pack, keys)


def _needed(pack: Pack, keys: Iterable[str]) -> Iterator[Problem]:
    for key in ("name", "code", "type", "department"):
        if key not in keys:
            yield pack.problem(("elements",), f"没有要素 {key}", "收录一行至少要名称、编码、类型、实施主体")
