"""What ``packs check`` says of datasets beyond their schema: names that must exist, rules that must translate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from yiwang.kernel.packs.contracts import Library, Pack, Problem

from .cells import value
from .checks import checks
from .contract import dataset_of
from .contracts import Dataset, Field, NotTranslatable, Type
from .feelsql import Translator
from .sharing.contracts import TODAY, tests_of

_UNSAFE = re.compile(r"\(\?|\\[dDwWsSbB0-9]")
_RESERVED = re.compile(r"as_of|t_.*")
_MOMENTS = (Type.DATE, Type.DATETIME)


def lint(library: Library) -> Iterator[Problem]:
    """Everything wrong in the datasets of a library."""
    functions = {name for pack in library.all("organisations") for name in pack.data["functions"]}
    ids = {pack.id for pack in library.all("dataset")}
    for pack in library.all("dataset"):
        if functions and pack.data["department"] not in functions:
            told = "、".join(sorted(functions))
            what = f"没有「{pack.data['department']}」这个职能"
            yield pack.problem(("department",), what, f"改成其中之一：{told}", "L1")
        if pack.id.endswith("_hist") and pack.id.removesuffix("_hist") in ids:
            yield pack.problem(("id",), f"{pack.id} 与另一个数据集的历史表同名", "换一个标识")
        problems = [*_fields(pack, library), *_names(pack)]
        yield from problems
        if not problems:
            dataset = dataset_of(pack, library)
            yield from _rules(pack, dataset)
            yield from _refers(pack, dataset, library)
            yield from _bounds(pack, dataset)
            yield from _territory(pack, dataset)
            yield from _limits(pack, dataset)


def _refers(pack: Pack, dataset: Dataset, library: Library) -> Iterator[Problem]:
    rule = dataset.refers
    if rule is None:
        return
    lacking = [(key, id) for key, id in (("of", rule.of), ("number", rule.number)) if id not in dataset.by_id]
    for key, id in lacking:
        yield pack.problem(("refers", key), f"没有字段「{id}」", "写本数据集里有的字段", "L1")
    if lacking:
        return
    if not dataset.field(rule.of).codes:
        what = f"字段「{rule.of}」没有代码表，不知道指哪些数据集"
        yield pack.problem(("refers", "of"), what, "类型改成 code，代码表的代码是数据集的 id", "L1")
    for id in sorted(dataset.field(rule.of).codes):
        other = library.find("dataset", id)
        if other is None or len(other.data["key"]) != 1:
            what = f"代码「{id}」不是主键只有一个字段的数据集"
            yield pack.problem(("refers", "of"), what, "改代码表，或改用别的字段", "L1")


def _fields(pack: Pack, library: Library) -> Iterator[Problem]:
    titles: dict[str, str] = {}
    for id, spec in pack.data["fields"].items():
        path = ("fields", id)
        if _RESERVED.fullmatch(id):
            yield pack.problem(path, f"字段名 {id} 留给系统用", "换一个名字，不以 t_ 开头")
        if (spec["type"] == "code") != ("codelist" in spec):
            yield pack.problem(path, f"字段 {id} 的类型和代码表不一致", "类型 code 写 codelist，别的类型不写")
        elif "codelist" in spec and library.find("codelist", spec["codelist"]) is None:
            yield pack.problem(
                (*path, "codelist"), f"代码表 {spec['codelist']} 不存在", "改成已有的代码表", "L1"
            )
        if "pattern" in spec:
            yield from _pattern(pack, path, spec)
        for key in ("min", "max"):
            if key in spec and spec["type"] not in ("int", "decimal", "date", "datetime"):
                yield pack.problem((*path, key), f"{spec['type']} 没有大小", f"去掉 {key}")
        if "element" in spec and not _element(library, spec["element"]):
            yield pack.problem(
                (*path, "element"), f"数据元 {spec['element']} 不存在", "改成字典里有的，或去掉", "L1"
            )
        for title in (spec["name"], id, *spec.get("also", ())):
            if titles.setdefault(title, id) != id:
                yield pack.problem(path, f"列名“{title}”已经是 {titles[title]} 的", "一个列名只归一个字段")


def _pattern(pack: Pack, path: tuple[str, str], spec: dict[str, Any]) -> Iterator[Problem]:
    if _UNSAFE.search(spec["pattern"]):
        remedy = "数字写 [0-9]，不用 (?…)、\\d、\\w、\\s、\\b 和反向引用：各家引擎读法不同"
        yield pack.problem((*path, "pattern"), "正则表达式用了不通用的写法", remedy)
        return
    try:
        re.compile(spec["pattern"])
    except re.error as error:
        yield pack.problem((*path, "pattern"), f"正则表达式写得不对（{error}）", "核对括号和方括号")


def _element(library: Library, path: str) -> bool:
    entity, _, element = path.partition(".")
    pack = library.find("elements", entity)
    return pack is not None and element in pack.data["elements"]


def _names(pack: Pack) -> Iterator[Problem]:
    data, fields = pack.data, pack.data["fields"]
    named: list[tuple[tuple[str | int, ...], str]] = [(("subject", "field"), data["subject"]["field"])]
    named += [(("key", n), k) for n, k in enumerate(data["key"])]
    named += [(("unique", n), k) for n, group in enumerate(data.get("unique", ())) for k in group]
    named += [((k,), data[k]) for k in ("valid_from", "valid_to") if k in data]
    named += [(("rules", n, "field"), r["field"]) for n, r in enumerate(data.get("rules", ()))]
    if "withdrawal" in data:
        named.append((("withdrawal", "field"), data["withdrawal"]["field"]))
    for path, id in named:
        if id not in fields:
            yield pack.problem(path, f"没有字段 {id}", f"改成其中之一：{'、'.join(fields)}", "L1")
            return
    for n, k in enumerate(data["key"]):
        if not fields[k].get("required"):
            yield pack.problem(("key", n), f"主键 {k} 不是必填", "给它写 required: true")
    for k in ("valid_from", "valid_to"):
        if k in data and fields[data[k]]["type"] not in _MOMENTS:
            yield pack.problem((k,), f"{data[k]} 不是日期", "改成 date 或 datetime 的字段")
    if not fields[data["valid_from"]].get("required"):
        yield pack.problem(
            ("valid_from",), f"{data['valid_from']} 不是必填，历史没有起点", "给它写 required: true"
        )
    if data["sharing"]["class"] != "无条件共享" and "conditions" not in data["sharing"]:
        yield pack.problem(("sharing",), "没有写共享的条件或不予共享的依据", "补上 conditions")
    if (data.get("pull", {}).get("from") == "database") != ("query" in data.get("pull", {})):
        yield pack.problem(("pull",), "从数据库取要写 query，别的不写", "改 from 或 query")
    if data.get("pull", {}).get("from", "database") != "database" and "path" not in data["pull"]:
        yield pack.problem(("pull",), "没有写取哪些文件", "补上 path，如 *.csv")


def _limits(pack: Pack, dataset: Dataset) -> Iterator[Problem]:
    for n, limit in enumerate(dataset.limits):
        path = ("sharing", "rows", n)
        if limit.field not in dataset.by_id:
            yield pack.problem(
                path, f"没有字段 {limit.field}", f"改成其中之一：{'、'.join(dataset.by_id)}", "L1"
            )
            continue
        field = dataset.field(limit.field)
        if limit.test not in tests_of(field):
            yield pack.problem(
                path, f"{field.type} 不能用 {limit.test} 比", f"改成 {'、'.join(tests_of(field))}"
            )
        elif limit.value == TODAY:
            if field.type not in _MOMENTS:
                yield pack.problem(path, f"{field.type} 不能和 today 比", "today 只用于日期，别的写具体的值")
        elif limit.test != "starts" and value(field, limit.value) is None:
            yield pack.problem(
                path, f"“{limit.value}”不是 {field.type} 的值", "日期写 2026-05-20 或 today，数只写数字"
            )


def _territory(pack: Pack, dataset: Dataset) -> Iterator[Problem]:
    if not dataset.territory:
        return
    f = dataset.by_id.get(dataset.territory)
    if f is None:
        regions = "、".join(one.id for one in dataset.fields if one.type is Type.REGION)
        remedy = f"改成其中之一：{regions}" if regions else "先加一个类型为 region 的字段"
        yield pack.problem(("territory",), f"没有字段 {dataset.territory}", remedy, "L1")
    elif f.type is not Type.REGION:
        yield pack.problem(("territory",), f"{f.id} 不是区划", "改成类型为 region 的字段")
    elif not f.required:
        what = f"{f.id} 不是必填，空着的记录不知道归哪里报"
        yield pack.problem(("territory",), what, "给它写 required: true，或去掉 territory")


def _rules(pack: Pack, dataset: Dataset) -> Iterator[Problem]:
    translator = Translator(dataset, lambda id: id, "as_of")
    for n, rule in enumerate(dataset.rules):
        try:
            translator.condition(rule.holds)
        except NotTranslatable as error:
            yield pack.problem(
                ("rules", n, "holds"), f"规则 {rule.id}：{error}", "照 docs/reference/hub.md 改写"
            )
    try:
        checks(dataset)
    except ValueError:
        yield pack.problem(("fields",), "检查项超过 62 个", "拆成两个数据集，或减少约束")


def _bounds(pack: Pack, dataset: Dataset) -> Iterator[Problem]:
    for f in dataset.fields:
        for key, text in (("min", f.minimum), ("max", f.maximum)):
            if text and not _is_bound(f, text):
                yield pack.problem(
                    ("fields", f.id, key), f"{text} 不是 {f.type} 的值", "数写数，日期写 2024-07-01"
                )


def _is_bound(f: Field, text: str) -> bool:
    try:
        if f.type is Type.DATE:
            date.fromisoformat(text)
        elif f.type is Type.DATETIME:
            datetime.fromisoformat(text)
        else:
            Decimal(text)
    except (ValueError, InvalidOperation):
        return False
    return True
