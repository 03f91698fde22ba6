"""`yiwang packs check`: schema, cross-references, flows, targets, embedded tests. One list of problems."""

from collections.abc import Iterator
from pathlib import Path

from yiwang.engines.cases import forms
from yiwang.engines.cases.flow import FlowRejected, compile_bpmn
from yiwang.engines.cases.forms.contracts import PlanError
from yiwang.kernel.feel import FeelSyntaxError
from yiwang.kernel.packs.contracts import Library, Pack, Problem, UnknownPack
from yiwang.kernel.packs.loader import read


def check_packs(root: Path) -> list[Problem]:
    """Everything wrong in a tree of packs, each with file, line and remedy; empty when it may be loaded."""
    library, problems = read(root)
    problems = list(problems)
    problems += _flows(root)
    for pack in (*library.all("service_item"), *library.all("bundle")):
        problems += _plannable(library, pack, root)
    return problems


def _flows(root: Path) -> Iterator[Problem]:
    for file in sorted(root.rglob("*.bpmn")):
        try:
            compile_bpmn(file.read_bytes())
        except FlowRejected as rejected:
            for problem in rejected.problems:
                name = file.relative_to(root).as_posix()
                yield Problem(name, 1, f"{problem.element} {problem.id}：{problem.message}", "改用支持的元素", "flow")


def _plannable(library: Library, pack: Pack, root: Path) -> Iterator[Problem]:
    try:
        figures = forms.burden(library, pack.id)
    except (PlanError, UnknownPack, FeelSyntaxError) as error:
        yield pack.problem((), str(error), "按提示修改后再检查", "L1")
        return
    for name, target in figures.get("targets", {}).items():
        if not target["holds"]:
            what = f"发布门槛未达到：{name} 为 {target['figure']}，门槛 {target['bar']}"
            yield pack.problem(("targets",), what, "减少要问的，或如实调整门槛", "L12")
    flow = pack.data.get("flow")
    if flow and not (root / "base" / "flows" / f"{flow}.bpmn").exists():
        yield pack.problem(("flow",), f"没有名为 {flow} 的流程", "使用 base/flows 下已有的流程，或先画好它")
    time = pack.data.get("time")
    if time and time["promised"]["value"] > time["legal"]["value"]:
        what = f"承诺时限 {time['promised']['value']} 长于法定时限 {time['legal']['value']}"
        yield pack.problem(("time", "promised"), what, "承诺只能比法定更短", "L8")
