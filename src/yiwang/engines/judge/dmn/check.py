"""Naming everything in a model that is malformed, not supported, or leads nowhere."""

from __future__ import annotations

from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from yiwang.engines.judge.dmn import contracts as c
from yiwang.engines.judge.dmn.graph import File, Node
from yiwang.engines.judge.dmn.loading import load
from yiwang.engines.judge.dmn.model import Model


def problems(model: Model) -> list[c.Problem]:
    """As `check`, of a loaded model."""
    return check(model.file)


def check(file: File) -> list[c.Problem]:
    """The problems of a model and of what it imports, each once, in the order of the file."""
    found: list[c.Problem] = []
    for one in file.all():
        for name in one.types:
            one.types.named(name)
        for node in one.nodes:
            _touch(node)
        found += [*one.problems, *one.types.problems, *_names(one), *_rings(one)]
    return list(dict.fromkeys(found))


def _touch(node: Node) -> None:
    """Compile the node; what is wrong with it is reported on the way."""
    _ = node.type
    element = node.element
    if isinstance(element, (c.Decision, c.Knowledge)):
        _ = node.code
    if isinstance(element, c.Service):
        for references in (
            element.outputs,
            element.encapsulated,
            element.input_decisions,
            element.input_data,
        ):
            node.nodes(references)
        if not element.outputs:
            node.report("", "决策服务没有输出决策", "请补上 outputDecision")


def _names(file: File) -> list[c.Problem]:
    found = []
    for what, names in (
        ("元素", Counter(node.element.name for node in file.nodes)),
        ("类型", Counter(item.name for item in file.definitions.types)),
    ):
        found += [
            c.Problem(name, "", f"有 {times} 个{what}叫「{name}」，只有第一个有效", "请改名")
            for name, times in names.items()
            if times > 1
        ]
    identities = Counter(node.element.id for node in file.nodes)
    found += [
        c.Problem("", identity, f"有 {times} 个元素的 id 是「{identity}」", "请改成不同的 id")
        for identity, times in identities.items()
        if times > 1
    ]
    for node in file.nodes:
        element = node.element
        if element.variable != element.name:
            what = f"变量名「{element.variable}」与元素名不同"
            found.append(c.Problem(element.name, element.id, what, "请写成一样"))
    return found


def _rings(file: File) -> list[c.Problem]:
    """Decisions that require themselves, directly or by others: the first ring."""
    graph = {
        node: [sight.node for sight in node.sights]
        for node in file.nodes
        if isinstance(node.element, c.Decision)
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring = dict.fromkeys(error.args[1])
        names = " → ".join(node.element.name for node in error.args[1])
        what = f"这个决策经由别的决策依赖它自己：{names}"
        return [c.Problem(node.element.name, node.element.id, what, "请去掉环上的一条依赖") for node in ring]
    return []


def report(path: Path) -> dict[str, Any]:
    """What `yiwang dmn check` prints. Never raises NotDmn; OSError when the file cannot be read.

    `findings` are what the analysis finds in decision tables: warnings, the model is usable all the same.
    """
    from yiwang.engines.judge.analysis import analyse_model  # it reads this room's nouns

    try:
        model = load(path)
    except c.NotDmn as error:
        what, _, remedy = str(error).partition("，请")
        problem = {"element": "", "id": "", "what": what, "remedy": "请" + remedy if remedy else ""}
        return {"model": path.name, "ok": False, "decisions": [], "problems": [problem], "findings": []}
    found = [{"element": p.element, "id": p.id, "what": p.what, "remedy": p.remedy} for p in problems(model)]
    return {
        "model": model.name,
        "ok": not found,
        "decisions": list(model.decisions),
        "problems": found,
        "findings": [
            {
                "decision": decision,
                "kind": f.kind,
                "rules": list(f.rules),
                "what": f.text,
                "remedy": f.suggestion,
            }
            for decision, several in analyse_model(model.file.definitions).items()
            for f in several
        ],
    }
