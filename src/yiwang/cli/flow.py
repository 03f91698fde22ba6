"""`yiwang flow …`: check flows, and move open cases to a new version."""

import sys
from pathlib import Path

from .common import Groups, add, django_ready, group, show


def _flow_check(args) -> int:
    from yiwang.engines.cases.flow import report

    try:
        found = report(Path(args.file).read_bytes())
    except OSError as error:
        print(f"读不出 {args.file}：{error.strerror}", file=sys.stderr)
        return 2
    if args.json:
        show(found, True)
    else:
        print(
            f"{'可用' if found['accepted'] else '不可用'}：{found['nodes']} 个节点，{found['sequence_flows']} 条连线"
        )
        for problem in found["unsupported"]:
            print(f"  {problem['element']} {problem['id']}：{problem['message']}")
        for finding in found.get("findings", []):
            print(f"  {finding}")
    return 0 if found["accepted"] else 1


def _flow_migrate(args) -> int:
    """Dry run unless --apply."""
    from yiwang.engines.cases.flow import FlowRejected
    from yiwang.kernel.packs.strict import load as strict

    django_ready()
    from yiwang.engines.cases import migrating
    from yiwang.kernel.access.contracts import SYSTEM
    from yiwang.kernel.access.session import acting

    plan, _lines = strict(Path(args.map).read_text()) if args.map else ({}, {})
    try:
        with acting(SYSTEM):
            target = migrating.store(Path(args.to).read_bytes(), args.key)
    except FlowRejected as rejected:
        for problem in rejected.problems:
            print(f"{problem.element} {problem.id}：{problem.message}", file=sys.stderr)
        return 1
    found = []
    for source, _count in migrating.versions(args.key):
        if source != target:
            nodes, reason = plan.get("nodes", {}), plan.get("reason", "")
            found.append(migrating.migrate(source, target, nodes, reason, apply=args.apply))
    if args.json:
        show([vars(report) for report in found], True)
    for report in found if not args.json else ():
        verb = "已迁移" if report.applied else "可以迁移"
        refused = sum(map(len, report.refused.values()))
        print(
            f"{report.source[:12]} → {report.target[:12]}：{verb} {len(report.movable)} 件，不能迁移 {refused} 件"
        )
        for why, numbers in report.refused.items():
            print(f"  {why}：{'、'.join(numbers[:5])}{' 等' if len(numbers) > 5 else ''}")
    if not args.apply:
        print("这是演练，没有改动；核对后加 --apply 执行", file=sys.stderr)
    return 1 if any(report.refused for report in found) else 0


def commands(to: Groups) -> None:
    flow = group(to, "flow", "check flows")
    add(flow, "check", _flow_check, "is this BPMN file accepted, and if not, why", True).add_argument("file")
    move = add(
        flow,
        "migrate",
        _flow_migrate,
        "move open cases to a new version of their flow; a dry run first",
        True,
    )
    move.add_argument("key", help="name of the flow, such as std.promise")
    move.add_argument("to", help="the new version, a BPMN file")
    move.add_argument("--map", help="YAML with nodes: {old: new} and reason")
    move.add_argument("--apply", action="store_true", help="do it; without this nothing is changed")
