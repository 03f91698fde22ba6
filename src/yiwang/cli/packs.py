"""`yiwang packs …` and `yiwang report`: check, load, measure, bring in and give out."""

import sys
from datetime import date
from pathlib import Path

from .common import Groups, add, django_ready, group, packs_root, show


def _packs_check(args) -> int:
    from yiwang.config.checking import analysed, check_packs

    root = Path(args.root) if args.root else packs_root()
    problems = check_packs(root)
    hints = [] if problems else analysed(root)

    def rows(found):
        return [
            {"file": p.file, "line": p.line, "what": p.what, "remedy": p.remedy, "rule": p.rule}
            for p in found
        ]

    if args.json:
        show({"problems": rows(problems), "hints": rows(hints)}, True)
    else:
        for problem in problems:
            print(problem)
        for hint in hints:
            print(f"提示：{hint}")
        print(f"{len(problems)} 处问题" if problems else "包检查通过")
    return 1 if problems else 0


def _packs_load(args) -> int:
    from yiwang.config.checking import check_packs

    root = Path(args.root) if args.root else packs_root()
    problems = check_packs(root)
    if problems:
        for problem in problems:
            print(problem)
        print(f"{len(problems)} 处问题，没有装载；已装载的包保持不变")
        return 1
    django_ready()
    from yiwang.config.install import load

    print(load(root))
    return 0


def _packs_burden(args) -> int:
    from yiwang.engines.cases.forms import PlanError, burden
    from yiwang.kernel.packs.contracts import UnknownPack
    from yiwang.kernel.packs.loader import read

    library, _problems = read(packs_root())
    try:
        figures = burden(library, args.id)
    except (PlanError, UnknownPack) as error:
        print(error, file=sys.stderr)
        return 1
    if args.json:
        show(figures, True)
    else:
        up, down = figures["registers_up"], figures["registers_down"]
        print(f"{figures['name']}：{figures['items']} 个事项，{figures['departments']} 个部门")
        print(
            f"字段 {' → '.join(str(v) for v in up['fields'].values())}（登记库不通时要填 {down['fields']['asked']}）"
        )
        print(
            f"材料 {' → '.join(map(str, up['materials'].values()))}（登记库不通时要传 {down['materials']['upload']}）"
        )
        print(f"跑动 {figures['visits']['apart']} → {figures['visits']['asked']}；天数 {figures['days']}")
        print("要填：" + "、".join(f["label"] for f in up["asked"]))
        for name, target in figures.get("targets", {}).items():
            print(
                f"  {name}: {target['figure']}（门槛 {target['bar']}）{'达到' if target['holds'] else '未达到'}"
            )
    return 0 if all(t["holds"] for t in figures.get("targets", {}).values()) else 1


def _import_catalogue(args) -> int:
    django_ready()
    from yiwang.domains.services.catalogue.commands import run_import

    file = Path(args.file)
    return run_import(file, args.source or file.stem, args.check, args.json)


def _export_catalogue(args) -> int:
    from yiwang.domains.services.catalogue.export import run_export
    from yiwang.kernel.packs.loader import read

    library, _problems = read(packs_root())
    return run_export(library, "csv" if args.csv else "json" if args.json else "")


def _report(args) -> int:
    django_ready()
    from yiwang.domains.services.reporting.commands import run_report

    return run_report(args.what, date.fromisoformat(args.since), args.json)


def commands(to: Groups) -> None:
    packs = group(to, "packs", "check, load and measure packs")
    check = add(packs, "check", _packs_check, "schema, cross-references, lint rules and embedded tests", True)
    check.add_argument("root", nargs="?", help="packs folder (default: the project's)")
    add(packs, "load", _packs_load, "check, then put in force").add_argument("root", nargs="?")
    add(packs, "burden", _packs_burden, "the burden waterfall of a bundle or item", True).add_argument("id")
    catalogue = add(
        packs, "import-catalogue", _import_catalogue, "import a catalogue of items, row by row", True
    )
    catalogue.add_argument("file", help="CSV: UTF-8 or GBK, header with the names of the elements")
    catalogue.add_argument("--source", help="whose catalogue this is (default: the file's name)")
    catalogue.add_argument("--check", action="store_true", help="report only, write nothing")
    out = add(
        packs, "export-catalogue", _export_catalogue, "published items with the national elements", True
    )
    out.add_argument("--csv", action="store_true", help="a CSV table")
    report = add(
        to, "report", _report, "cases or ratings with the elements reported upwards, each checked", True
    )
    report.add_argument("what", choices=["cases", "ratings"])
    report.add_argument("--since", default="2000-01-01", help="the first day, such as 2026-01-01")
