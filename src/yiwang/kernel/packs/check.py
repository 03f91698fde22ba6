"""Check a tree of packs: schemas, what refers to what, and whatever the engines' linters know.

Nothing here knows a kind's business beyond names that must exist; engines pass their own linters.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from string import Formatter

from yiwang.kernel.packs.check_words import words
from yiwang.kernel.packs.contracts import Library, Pack, Problem
from yiwang.kernel.packs.loader import read

Linter = Callable[[Library], Iterable[Problem]]
FLOWS = "base/flows"
LAYOUTS = "base/documents"


def check(root: Path, linters: Sequence[Linter] = ()) -> list[Problem]:
    """Everything wrong in a tree of packs, in the order of file and line.

    Args:
        root: the packs folder.
        linters: what engines know of their kinds; each is given the library of the well-formed packs.

    Returns:
        problems with file, line, what and remedy in Chinese; empty when the tree may be loaded.
    """
    library, problems = read(root)
    for rule in (_codelists, _notices, _organisations, _calendars, words):
        problems.extend(rule(library))
    problems.extend(_regions(library, root))
    problems.extend(_flows(library, root))
    problems.extend(_layouts(library, root))
    for linter in linters:
        problems.extend(linter(library))
    return sorted(set(problems), key=lambda p: (p.file, p.line, p.rule, p.what))


def _codelists(library: Library) -> Iterator[Problem]:
    for pack in library.all("codelist"):
        seen: dict[str, int] = {}
        for n, entry in enumerate(pack.data["codes"]):
            if entry["code"] in seen:
                yield pack.problem(("codes", n), f"代码 {entry['code']} 重复", "一个代码只写一次")
            seen[entry["code"]] = n
    purposes = {p["name"] for pack in library.all("purposes") for p in pack.data["purposes"]}
    named = [
        (pack, ("purposes", n), purpose)
        for pack in (*library.all("register"), *library.all("dataset"))
        for n, purpose in enumerate(pack.data["purposes"])
    ]
    named += [(pack, ("purpose",), pack.data["purpose"]) for pack in library.all("sharing_rules")]
    for pack, where, purpose in named:
        if purpose not in purposes:
            remedy = f"改成已有的目的（{'、'.join(sorted(purposes))}），或在 purposes 包里新增"
            yield pack.problem(where, f"使用目的“{purpose}”不存在", remedy, "L1")
    for pack in library.all("register"):
        for name, field in pack.data["fields"].items():
            if "codelist" in field and library.find("codelist", field["codelist"]) is None:
                path = ("fields", name, "codelist")
                yield pack.problem(
                    path, f"代码表 {field['codelist']} 不存在", "改成已有的代码表，或新建一个", "L1"
                )


def _notices(library: Library) -> Iterator[Problem]:
    for pack in library.all("notices"):
        for id_, notice in pack.data["notices"].items():
            path = ("notices", id_)
            used: set[str] = set()
            for part in ("title", "body", "message"):
                try:
                    used |= {
                        name for _, name, _, _ in Formatter().parse(notice.get(part, "")) if name is not None
                    }
                except ValueError:
                    yield pack.problem(
                        (*path, part), f"文书 {id_} 的花括号不成对", "占位写成 {item_name} 的样子"
                    )
            declared = set(notice["placeholders"])
            for name in sorted(used - declared):
                remedy = "写进 placeholders，或改正名字"
                yield pack.problem(path, f"文书 {id_} 用了没有声明的占位 {{{name}}}", remedy)
            for name in sorted(declared - used):
                yield pack.problem(path, f"文书 {id_} 声明的占位 {name} 没有用到", "从 placeholders 里去掉")
            if "message" in notice["channel"] and "message" not in notice:
                yield pack.problem(path, f"文书 {id_} 要发消息却没有写 message", "补上 message 文字")
            if "document" in notice["channel"] and notice.get("adverse") and "reasons" not in used:
                yield pack.problem(path, f"不利决定文书 {id_} 没有说明理由", "正文写上 {reasons}")


def _organisations(library: Library) -> Iterator[Problem]:
    packs = library.all("organisations")
    functions = {name for pack in packs for name in pack.data["functions"]}
    for pack in packs:
        for n, mapping in enumerate(pack.data.get("mappings", ())):
            for name in (*mapping["functions"], mapping["to"]):
                if name not in functions:
                    yield _no_function(pack, ("mappings", n), name, functions)
        for name, function in pack.data["functions"].items():
            for level, pattern in function["names"].items():
                if "{region}" not in pattern:
                    where = ("functions", name, "names", level)
                    yield pack.problem(
                        where, f"机构名称「{pattern}」没有 {{region}}", "写成 {region}公安局 的样子"
                    )
    if not packs:
        return
    for pack in library.all("register"):
        if pack.data["owner"] not in functions:
            yield _no_function(pack, ("owner",), pack.data["owner"], functions)
    for pack in library.all("service_item"):
        name = pack.data["authority"]["function"]
        if name not in functions:
            yield _no_function(pack, ("authority", "function"), name, functions)
    for pack in library.all("bundle"):
        named: list[tuple[tuple[str | int, ...], str]] = [(("lead",), pack.data["lead"])]
        named += [(("with", n), name) for n, name in enumerate(pack.data.get("with", ()))]
        for path, name in named:
            if name not in functions:
                yield _no_function(pack, path, name, functions)


def _no_function(pack: Pack, path: tuple[str | int, ...], name: str, there: set[str]) -> Problem:
    return pack.problem(path, f"没有「{name}」这个职能", f"改成其中之一：{'、'.join(sorted(there))}", "L1")


def _calendars(library: Library) -> Iterator[Problem]:
    for pack in library.all("calendar_notice"):
        year = str(pack.data["year"])
        for n, holiday in enumerate(pack.data["holidays"]):
            if holiday["from"] > holiday["to"]:
                yield pack.problem(("holidays", n), f"{holiday['name']}的起止日期颠倒", "from 不晚于 to")
        for n, day in enumerate(pack.data.get("workdays", ())):
            if any(h["from"] <= day <= h["to"] for h in pack.data["holidays"]):
                yield pack.problem(("workdays", n), f"{day} 既是放假又是调休上班", "核对通知原文")
            if not day.startswith(year):
                yield pack.problem(("workdays", n), f"{day} 不在 {year} 年", "写进那一年的通知")


def _regions(library: Library, root: Path) -> Iterator[Problem]:
    for pack in library.all("regions"):
        told = pack.data["divisions"]
        file = (root / pack.file).parent / told["file"]
        if not file.is_file():
            yield pack.problem(("divisions", "file"), f"没有区划表 {told['file']}", "把 CSV 放在本包旁边")
            continue
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            rows = list(reader)
        if list(reader.fieldnames or ()) != list(told["columns"]):
            what = f"区划表的列是 {'、'.join(reader.fieldnames or ())}"
            yield pack.problem(("divisions", "columns"), what, f"应为 {'、'.join(told['columns'])}")
            continue
        if len(rows) != told["rows"]:
            yield pack.problem(
                ("divisions", "rows"), f"区划表有 {len(rows)} 行", f"rows 写 {len(rows)}，或补全表"
            )
        codes = {row["code"] for row in rows}
        for row in rows:
            if row["parent"] and row["parent"] not in codes:
                what = f"区划 {row['code']} {row['name']}的上级 {row['parent']} 不在表里"
                yield pack.problem(("divisions", "file"), what, "补上上级，或改正代码")
        past = {h["code"] for h in pack.data["history"]}
        for n, old in enumerate(pack.data["history"]):
            if old["code"] in codes:
                yield pack.problem(("history", n), f"{old['code']} {old['name']}还在现行区划表里", "二者留一")
            if old["successor"] not in codes | past:
                yield pack.problem(
                    ("history", n), f"继任区划 {old['successor']} 不存在", "改成现行的六位代码"
                )


def _layouts(library: Library, root: Path) -> Iterator[Problem]:
    for pack in library.all("materials"):
        for id_, material in pack.data["materials"].items():
            layout = material.get("generated")
            if layout and not (root / LAYOUTS / f"{layout}.typ").exists():
                there = "、".join(sorted(p.stem for p in (root / LAYOUTS).glob("*.typ")))
                what = f"材料 {id_} 的版式 {layout} 不存在"
                yield pack.problem(("materials", id_, "generated"), what, f"改成其中之一：{there}", "L1")


def _flows(library: Library, root: Path) -> Iterator[Problem]:
    folder = root / FLOWS
    if not folder.is_dir():
        return
    there = sorted(f.stem for f in folder.glob("*.bpmn"))
    for pack in library.all("service_item"):
        flow = pack.data["flow"]
        if not re.fullmatch(r"[\w.-]+", flow) or flow not in there:
            yield pack.problem(("flow",), f"没有流程 {flow}", f"改成其中之一：{'、'.join(there)}", "L1")
