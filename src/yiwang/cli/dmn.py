"""`yiwang dmn …`: run, check and convert decision models."""

import sys
from pathlib import Path

from .common import Groups, add, group, show


def _dmn_run(args) -> int:
    from yiwang.engines.judge.dmn import NotDmn, UnknownName
    from yiwang.engines.judge.dmn.command import run, to_json

    try:
        raw = sys.stdin.read() if args.input == "-" else Path(args.input).read_text("utf-8")
        found = run(Path(args.file), raw, args.decision)
    except OSError as error:
        print(f"读不出 {error.filename}：{error.strerror}", file=sys.stderr)
        return 2
    except (NotDmn, UnknownName, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if args.json:
        print(to_json(found))
    else:
        for name, value in found["values"].items():
            print(f"{name}：{to_json(value)}")
            for reason in found["reasons"].get(name, []):
                print(f"    {reason}")
    return 0


def _dmn_check(args) -> int:
    from yiwang.engines.judge.dmn.check import report

    try:
        found = report(Path(args.file))
    except OSError as error:
        print(f"读不出 {args.file}：{error.strerror}", file=sys.stderr)
        return 2
    if args.json:
        show(found, True)
    else:
        for problem in found["problems"]:
            print(f"{problem['element']}（{problem['id']}）：{problem['what']}；{problem['remedy']}")
        for one in found["findings"]:
            print(f"提示：决策「{one['decision']}」：{one['what']}；{one['remedy']}")
        count = len(found["problems"])
        print(f"{count} 处问题" if count else f"可用：{len(found['decisions'])} 个决策")
    return 0 if found["ok"] else 1


def _dmn_convert(args) -> int:
    from yiwang.engines.judge.dmn import NotDmn
    from yiwang.engines.judge.dmn.command import convert

    try:
        Path(args.to).write_bytes(convert(Path(args.file), Path(args.to).suffix))
    except OSError as error:
        print(f"读不出或写不进 {error.filename}：{error.strerror}", file=sys.stderr)
        return 2
    except NotDmn as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def commands(to: Groups) -> None:
    dmn = group(to, "dmn", "run and check decision models")
    run = add(dmn, "run", _dmn_run, "the value of every decision, and why it is null", True)
    run.add_argument("file")
    run.add_argument("--decision", help="name or id of a decision, knowledge model or decision service")
    run.add_argument("--input", required=True, metavar="FILE.json", help="input data by name; - reads stdin")
    add(dmn, "check", _dmn_check, "what in this DMN file is malformed or not supported", True).add_argument(
        "file"
    )
    convert = add(
        dmn, "convert", _dmn_convert, "decision tables to Excel (.xlsx) and back; DMN to version 1.5"
    )
    convert.add_argument("file")
    convert.add_argument("to", help="a .dmn or .xlsx file")
