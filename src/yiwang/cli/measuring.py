"""`yiwang bench`, `plan` and `doctor`: what is measured, proved and found."""

import sys

from .common import Groups, add, django_ready, show


def _bench(args) -> int:
    import importlib.util

    from yiwang.config.environment import ROOT

    file = ROOT / "benchmarks" / f"bench_{args.name}.py"
    if not file.exists():
        there = "、".join(f.stem.removeprefix("bench_") for f in sorted(file.parent.glob("bench_*.py")))
        print(f"没有名为 {args.name} 的基准；现有：{there}", file=sys.stderr)
        return 2
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = module.run(args.options)
    show(result, True)
    return 0 if all(b["holds"] for b in result["bars"].values()) else 1


def _doctor(args) -> int:
    django_ready()
    from yiwang.config.doctor import examine

    findings = examine()
    if args.json:
        show(findings, True)
    else:
        for finding in findings:
            print(f"{'✓' if finding['ok'] else '✗'} {finding['what']}：{finding['found']}")
            if not finding["ok"]:
                print(f"    怎么办：{finding['remedy']}")
    return 0 if all(f["ok"] for f in findings) else 1


def _plan(args) -> int:
    from yiwang.config.plan import report

    rows = report()
    if args.json:
        show(rows, True)
    else:
        proved = [r for r in rows if r["proved"]]
        for row in proved:
            print(f"{row['id']}\t{'、'.join(row['tests'])}")
        print(f"{len(rows)} 项能力，最近一次测试证明了 {len(proved)} 项")
    return 0


def commands(to: Groups) -> None:
    bench = add(to, "bench", _bench, "run a benchmark; exits 1 when a bar does not hold", True)
    bench.add_argument("name")
    bench.add_argument("options", nargs="*", help="sizes, as name=value")
    add(to, "plan", _plan, "which capabilities of the plan the last test run proved", True)
    add(to, "doctor", _doctor, "fonts, database, locks, calendar, secrets", True)
