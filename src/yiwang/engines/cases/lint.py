"""`yiwang packs check`: schema, cross-references, lint rules, embedded tests and flows, in one list."""

from collections.abc import Iterator
from pathlib import Path

from yiwang.engines.cases.flow import FlowRejected, compile_bpmn, soundness
from yiwang.engines.cases.forms import overlays
from yiwang.engines.cases.forms.lint import lint
from yiwang.kernel.packs.check import check
from yiwang.kernel.packs.contracts import Problem


def check_packs(root: Path) -> list[Problem]:
    """Everything wrong in a tree of packs, each with file, line and remedy; empty when it may be loaded."""
    return [*check(root, [lint, overlays.lint]), *_flows(root)]


def _flows(root: Path) -> Iterator[Problem]:
    for file in sorted(root.rglob("*.bpmn")):
        name = file.relative_to(root).as_posix()
        try:
            for finding in soundness.check(compile_bpmn(file.read_bytes())):
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
