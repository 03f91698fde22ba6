"""`yiwang packs check`: schema, cross-references, lint rules, embedded tests and flows, in one list."""

import csv
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

from yiwang.engines.cases.flow import FlowRejected, Graph, compile_bpmn, soundness
from yiwang.engines.cases.forms import lint_conditions, overlays
from yiwang.engines.cases.forms.lint import lint
from yiwang.engines.hub import lint as datasets
from yiwang.engines.judge import library as policies
from yiwang.engines.judge.analysis import analyse
from yiwang.engines.judge.dmn.check import report
from yiwang.kernel.packs.check import check
from yiwang.kernel.packs.contracts import Pack, Problem
from yiwang.kernel.packs.loader import read


def check_packs(root: Path) -> list[Problem]:
    """Everything wrong in a tree of packs, each with file, line and remedy; empty when it may be loaded."""
    judged = partial(policies.lint, regions=_regions(root))
    return [
        *check(root, [lint, overlays.lint, datasets.lint, judged]),
        *_flows(root),
        *_matters(root),
        *_models(root),
    ]


def analysed(root: Path) -> list[Problem]:
    """Findings that are no faults, in policies, acceptance conditions and decision models; the rules are named."""
    library, found = read(root)[0], []
    for pack in library.all("service_item"):
        for one, finding in lint_conditions.hints(library, pack):
            what = f"受理条件 {one.id}「{one.data['text']}」：{finding.text}"
            found.append(pack.problem(("conditions",), what, finding.suggestion, finding.kind))
    frame = policies.frame(library, _regions(root))
    for pack in library.all("policy") if frame else ():
        table = policies.load(pack.data, frame, date.fromisoformat(pack.data["effective"]["from"]))
        for finding in analyse(table):
            found.append(pack.problem(("conditions",), finding.text, finding.suggestion, finding.kind))
    for file in sorted(root.rglob("*.dmn")):
        name = file.relative_to(root).as_posix()
        for one in report(file)["findings"]:
            what = f"决策「{one['decision']}」：{one['what']}"
            found.append(Problem(name, 1, what, one["remedy"], one["kind"]))
    return found


def _models(root: Path) -> Iterator[Problem]:
    """Decision models in the tree: what in them is malformed or not supported."""
    for file in sorted(root.rglob("*.dmn")):
        for one in report(file)["problems"]:
            what = f"{one['element']} {one['id']}：{one['what']}".lstrip(" ：")
            yield Problem(file.relative_to(root).as_posix(), 1, what, one["remedy"] or "请改正这个模型", "L1")


def _regions(root: Path) -> dict[str, str]:
    """Code to name of every division in the tree; the tables themselves are checked elsewhere."""
    found: dict[str, str] = {}
    for pack in read(root)[0].all("regions"):
        file = (root / pack.file).parent / pack.data["divisions"]["file"]
        if file.is_file():
            with file.open(encoding="utf-8-sig", newline="") as lines:
                found.update({r["code"]: r["name"] for r in csv.DictReader(lines) if r.get("code")})
    return found


def _flows(root: Path) -> Iterator[Problem]:
    posts = {post for pack in read(root)[0].all("organisations") for post in pack.data["posts"]}
    for file in sorted(root.rglob("*.bpmn")):
        name = file.relative_to(root).as_posix()
        try:
            graph = compile_bpmn(file.read_bytes())
            yield from _attributes(name, graph, posts)
            for finding in soundness.check(graph):
                yield Problem(
                    name,
                    1,
                    f"{finding.node}：{finding.message}",
                    "改画流程，使每一步都能走到结束",
                    finding.kind,
                )
        except FlowRejected as rejected:
            for problem in rejected.problems:
                yield Problem(name, 1, f"{problem.element} {problem.id}：{problem.message}", "改用支持的元素")


def _matters(root: Path) -> Iterator[Problem]:
    """A matter's flow is there and has the outcomes that the pack names; what it finds fits its dataset."""
    library = read(root)[0]
    for pack in library.all("matter"):
        said = pack.data
        file = next(root.rglob(f"flows/{said['flow']}.bpmn"), None)
        if file is None:
            what = f"没有流程「{said['flow']}」"
            yield pack.problem(("flow",), what, "写 base/flows 下已有的流程名，或把流程画在那里", "L1")
        else:
            yield from _outcomes(pack, file)
        result = said.get("result")
        dataset = library.find("dataset", result["dataset"]) if result else None
        if result and dataset is None:
            yield pack.problem(
                ("result", "dataset"), f"没有数据集「{result['dataset']}」", "写 datasets 里有的 id", "L1"
            )
        elif result and dataset:
            fields = dataset.data["fields"]
            missing = {f for f, spec in fields.items() if spec.get("required")} - set(result["row"])
            for name in sorted(set(result["row"]) - set(fields)):
                yield pack.problem(
                    ("result", "row", name), f"数据集没有字段「{name}」", "写数据集里有的字段", "L1"
                )
            if missing:
                what = f"没有写数据集必填的字段：{'、'.join(sorted(missing))}"
                yield pack.problem(("result", "row"), what, "把它们写全，否则写回会被退回", "L1")


def _outcomes(pack: Pack, file: Path) -> Iterator[Problem]:
    """The outcomes that a matter names are those of its flow. A flow that does not compile is said elsewhere."""
    try:
        graph = compile_bpmn(file.read_bytes())
    except FlowRejected:
        return
    nodes = (n for process in graph.processes.values() for n in process.nodes.values())
    there = {outcome.code for node in nodes for outcome in node.outcomes}
    named = [(("done",), pack.data["done"])] if "done" in pack.data else []
    named += [
        (("result", "unless", n), o) for n, o in enumerate(pack.data.get("result", {}).get("unless", ()))
    ]
    for path, outcome in named:
        if outcome not in there:
            what = f"流程 {pack.data['flow']} 没有结果「{outcome}」"
            yield pack.problem(path, what, f"写成其中之一：{'、'.join(sorted(there))}", "L1")


def _attributes(file: str, graph: Graph, posts: set[str]) -> Iterator[Problem]:
    """The ``yw:`` attributes that name a post or a group of steps."""
    groups: dict[str, list[str]] = {}
    for node in (n for process in graph.processes.values() for n in process.nodes.values()):
        for key in ("role", "visitors"):
            if posts and node.ext.get(key, "") not in {"", *posts}:
                what = f"{node.name}：yw:{key} 写的岗位 {node.ext[key]} 不存在"
                yield Problem(file, 1, what, f"改成其中之一：{'、'.join(sorted(posts))}", "L1")
        if node.ext.get("form") == "visit" and "visitors" not in node.ext:
            what = f"{node.name}：要约定前来的人，却没有写从哪种岗位里选"
            yield Problem(file, 1, what, "写 yw:visitors", "L1")
        persons = node.ext.get("persons", "1")
        if not (persons.isdigit() and int(persons) > 0):
            yield Problem(file, 1, f"{node.name}：yw:persons “{persons}”不是人数", "写成 2 这样的整数", "L1")
        if "distinct" in node.ext:
            groups.setdefault(node.ext["distinct"], []).append(node.name)
    for group, steps in groups.items():
        if len(steps) < 2:
            what = f"{steps[0]}：yw:distinct 的组 {group} 只有这一个环节"
            yield Problem(file, 1, what, "给另一个环节写同一个组，或去掉", "L1")
