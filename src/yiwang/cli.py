"""`yiwang …`: everything an operator or pack author does from a terminal."""

import argparse
import json
import os
import sys
from datetime import date
from pathlib import Path


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.config.settings")
    import django

    django.setup()


def _print(value, as_json: bool) -> None:
    if as_json or not isinstance(value, str):
        print(json.dumps(value, ensure_ascii=False, indent=None if as_json else 2))
    else:
        print(value)


def _up(_args) -> int:
    from yiwang.config.supervisor import up

    return up()


def _down(_args) -> int:
    from yiwang.config.supervisor import down

    return down()


def _packs_root() -> Path:
    from yiwang.config.environment import ROOT

    return Path(os.environ.get("YIWANG_PACKS", ROOT / "packs"))


def _packs_check(args) -> int:
    from yiwang.config.checking import analysed, check_packs

    root = Path(args.root) if args.root else _packs_root()
    problems = check_packs(root)
    hints = [] if problems else analysed(root)

    def rows(found):
        return [
            {"file": p.file, "line": p.line, "what": p.what, "remedy": p.remedy, "rule": p.rule}
            for p in found
        ]

    if args.json:
        _print({"problems": rows(problems), "hints": rows(hints)}, True)
    else:
        for problem in problems:
            print(problem)
        for hint in hints:
            print(f"提示：{hint}")
        print(f"{len(problems)} 处问题" if problems else "包检查通过")
    return 1 if problems else 0


def _packs_load(args) -> int:
    from yiwang.config.checking import check_packs

    root = Path(args.root) if args.root else _packs_root()
    problems = check_packs(root)
    if problems:
        for problem in problems:
            print(problem)
        print(f"{len(problems)} 处问题，没有装载；已装载的包保持不变")
        return 1
    _django()
    from yiwang.config.install import load

    print(load(root))
    return 0


def _packs_burden(args) -> int:
    from yiwang.engines.cases.forms import PlanError, burden
    from yiwang.kernel.packs.contracts import UnknownPack
    from yiwang.kernel.packs.loader import read

    library, _problems = read(_packs_root())
    try:
        figures = burden(library, args.id)
    except (PlanError, UnknownPack) as error:
        print(error, file=sys.stderr)
        return 1
    if args.json:
        _print(figures, True)
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
    _django()
    from yiwang.domains.services.catalogue.commands import run_import

    file = Path(args.file)
    return run_import(file, args.source or file.stem, args.check, args.json)


def _export_catalogue(args) -> int:
    from yiwang.domains.services.catalogue.export import run_export
    from yiwang.kernel.packs.loader import read

    library, _problems = read(_packs_root())
    return run_export(library, "csv" if args.csv else "json" if args.json else "")


def _report(args) -> int:
    _django()
    from yiwang.domains.services.reporting.commands import run_report

    return run_report(args.what, date.fromisoformat(args.since), args.json)


def _flow_check(args) -> int:
    from yiwang.engines.cases.flow import report

    try:
        found = report(Path(args.file).read_bytes())
    except OSError as error:
        print(f"读不出 {args.file}：{error.strerror}", file=sys.stderr)
        return 2
    if args.json:
        _print(found, True)
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

    _django()
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
        _print([vars(report) for report in found], True)
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
        _print(found, True)
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
    _print(result, True)
    return 0 if all(b["holds"] for b in result["bars"].values()) else 1


def _plan(args) -> int:
    from yiwang.config.plan import report

    rows = report()
    if args.json:
        _print(rows, True)
    else:
        proved = [r for r in rows if r["proved"]]
        for row in proved:
            print(f"{row['id']}\t{'、'.join(row['tests'])}")
        print(f"{len(rows)} 项能力，最近一次测试证明了 {len(proved)} 项")
    return 0


def _doctor(args) -> int:
    _django()
    from yiwang.config.doctor import examine

    findings = examine()
    if args.json:
        _print(findings, True)
    else:
        for finding in findings:
            print(f"{'✓' if finding['ok'] else '✗'} {finding['what']}：{finding['found']}")
            if not finding["ok"]:
                print(f"    怎么办：{finding['remedy']}")
    return 0 if all(f["ok"] for f in findings) else 1


def _migrate(_args) -> int:
    _django()
    from yiwang.config.install import migrate

    migrate()
    return 0


def _work(_args) -> int:
    _django()
    from yiwang.engines.cases.worker import run_forever

    run_forever()
    return 0


def _collect(args) -> int:
    _django()
    from yiwang.engines.hub.collect import run_forever, work_once

    if args.once:
        while work_once():
            pass
    else:
        run_forever()
    return 0


def _hub_load(args) -> int:
    """Take files in as the system; the collector loads them."""
    from datetime import datetime

    _django()
    from django.utils import timezone

    from yiwang.engines.hub import api as hub
    from yiwang.kernel.access.contracts import SYSTEM, Refused
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.packs.contracts import UnknownPack

    try:
        as_of = datetime.fromisoformat(args.as_of) if args.as_of else timezone.now()
        as_of = as_of if timezone.is_aware(as_of) else timezone.make_aware(as_of)
        with acting(SYSTEM):
            file = Path(args.file)
            found = hub.by_system(
                args.dataset, file.name, file, as_of, hub.Mode(args.mode) if args.mode else None
            )
    except (Refused, UnknownPack, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    told = {"delivery": str(found.uid), "seq": found.seq, "dataset": found.dataset}
    _print(told if args.json else f"已收下，第 {found.seq} 批；归集进程会接着装载", args.json)
    return 0


def _hub_pull(args) -> int:
    _django()
    from yiwang.engines.hub import datasets, pulling
    from yiwang.kernel.packs.contracts import UnknownPack

    try:
        came = pulling.pull(datasets.current(args.dataset))
    except (UnknownPack, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"取来 {came} 批")
    return 0


def _policy_build(_args) -> int:
    _django()
    from yiwang.domains.policy import province, queries
    from yiwang.kernel.access.contracts import Refused

    try:
        print(f"已归集 {province.build(queries.frame())} 户企业")
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


def _periodic_run(args) -> int:
    from dataclasses import asdict

    try:
        day = date.fromisoformat(args.on) if args.on else None
    except ValueError:
        print(f"日期“{args.on}”不对，请写成 2026-12-01 的样子", file=sys.stderr)
        return 2
    _django()
    from yiwang.engines.cases.periodic import run

    _print(asdict(run(day)), True)
    return 0


def _register(args) -> int:
    _django()
    from yiwang.config.install import switch_register

    print(switch_register(args.id, args.state == "up"))
    return 0


def _account_add(args) -> int:
    import getpass

    _django()
    from yiwang.kernel.access.contracts import SYSTEM, Refused
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts import actions as accounts
    from yiwang.kernel.orgs import actions as orgs

    # From a terminal it is typed; a script pipes it. Never an argument: those are seen by every process.
    password = getpass.getpass("密码：") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        with acting(SYSTEM):
            user = accounts.add(args.username, password, args.idno, args.name, args.phone)
            if args.office:
                roles = [r for r in args.roles.split(",") if r]
                orgs.appoint(SYSTEM, user.person_id, args.office, args.title, roles, date.today())
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    print(f"已建账号 {args.username}（{user.person.name}）")
    return 0


def _account_token(args) -> int:
    _django()
    from yiwang.kernel.access.contracts import SYSTEM, Refused
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts import tokens

    try:
        with acting(SYSTEM):
            if args.revoke:
                tokens.revoke(SYSTEM, args.username, args.name)
                secret = f"已收回 {args.username} 的令牌 {args.name}"
            else:
                scopes = [scope for scope in args.scopes.split(",") if scope]
                secret = tokens.issue(SYSTEM, args.username, args.name, args.days, scopes)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    if not args.revoke:
        print("令牌只显示这一次，请立即保存：", file=sys.stderr)
    print(secret)
    return 0


def _account_system(args) -> int:
    _django()
    from yiwang.kernel.access.contracts import SYSTEM, Refused
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.accounts.oidc import clients

    try:
        with acting(SYSTEM):
            if args.remove:
                clients.remove(SYSTEM, args.name)
                print(f"已收回“{args.name}”的登录权")
                return 0
            client_id, secret = clients.add(SYSTEM, args.name, args.redirect, args.scopes.split(","))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    print("密钥只显示这一次，请立即交给对方：", file=sys.stderr)
    print(json.dumps({"client_id": client_id, "client_secret": secret}))
    return 0


def _ledger(args) -> int:
    """``verify`` needs files alone; the others the database."""
    from yiwang.kernel.ledger.checkpoint import NotSigned
    from yiwang.kernel.ledger.verify import verify

    if args.what == "verify":
        try:
            report = verify(Path(args.folder))
        except (OSError, NotSigned) as error:
            print(f"读不了 {args.folder}：{error}。请先用 yiwang ledger export 导出。", file=sys.stderr)
            return 2
        if args.json:
            print(json.dumps(vars(report), ensure_ascii=False))
        else:
            print("\n".join(report.faults) or "账本完整，没有发现改动")
            print(f"{report.entries} 条，其中 {report.erased} 条已删除个人信息；{report.heads} 个签名树头")
        return 1 if report.faults else 0
    _django()
    from yiwang.kernel.ledger import heads
    from yiwang.kernel.ledger.export import export

    if args.what == "export":
        print(f"已导出 {export(Path(args.folder))} 条到 {args.folder}")
        return 0
    made = heads.publish()
    print(made.note if made else "没有新的账目，不用再签", end="" if made else "\n")
    return 0


def _openapi(_args) -> int:
    _django()
    from yiwang.surfaces.api.v1 import schema

    print(json.dumps(schema(), ensure_ascii=False, indent=1))
    return 0


def _calendar_import(args) -> int:
    _django()
    from yiwang.config.install import import_calendar

    print(import_calendar(Path(args.file)))
    return 0


def _manage(args) -> int:
    _django()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["yiwang manage", *args.options])
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="yiwang", description="一网: run, check and look after the platform")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(to, name, call, about, json_flag=False):
        command = to.add_parser(name, help=about, description=about)
        command.set_defaults(call=call)
        if json_flag:
            command.add_argument("--json", action="store_true", help="one JSON object")
        return command

    add(commands, "up", _up, "start database, migrations, packs, web and worker; Ctrl-C stops all of it")
    add(commands, "down", _down, "stop what `yiwang up` started")
    add(commands, "migrate", _migrate, "bring the database up to date, as its owner")
    add(commands, "work", _work, "run one worker")
    collect = add(commands, "collect", _collect, "run one collector: it loads deliveries, pulls and reminds")
    collect.add_argument("--once", action="store_true", help="load what waits, then end")
    hub = commands.add_parser("hub", help="deliveries of datasets").add_subparsers(required=True)
    bring = add(hub, "load", _hub_load, "take a file in, as the system", True)
    bring.add_argument("dataset", help="id of a dataset pack, such as ent_registration")
    bring.add_argument("file", help="CSV, xlsx or JSON of any size")
    bring.add_argument("--as-of", default="", help="the moment up to which it is true, ISO; default: now")
    bring.add_argument("--mode", choices=["change", "full"], help="default: as the contract says")
    add(hub, "pull", _hub_pull, "fetch what is new of a dataset now").add_argument("dataset")
    packs = commands.add_parser("packs", help="check, load and measure packs").add_subparsers(required=True)
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
        commands, "report", _report, "cases or ratings with the elements reported upwards, each checked", True
    )
    report.add_argument("what", choices=["cases", "ratings"])
    report.add_argument("--since", default="2000-01-01", help="the first day, such as 2026-01-01")
    flow = commands.add_parser("flow", help="check flows").add_subparsers(required=True)
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
    dmn = commands.add_parser("dmn", help="run and check decision models").add_subparsers(required=True)
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
    bench = add(commands, "bench", _bench, "run a benchmark; exits 1 when a bar does not hold", True)
    bench.add_argument("name")
    bench.add_argument("options", nargs="*", help="sizes, as name=value")
    add(commands, "plan", _plan, "which capabilities of the plan the last test run proved", True)
    add(commands, "doctor", _doctor, "fonts, database, locks, calendar, secrets", True)
    register = add(commands, "register", _register, "mark a register as answering or not")
    register.add_argument("id")
    register.add_argument("state", choices=["up", "down"])
    policy = commands.add_parser("policy", help="policies for enterprises").add_subparsers(required=True)
    add(policy, "build", _policy_build, "copy the register of enterprises for counts over the province")
    periodic = commands.add_parser("periodic", help="benefits paid by the month").add_subparsers(
        required=True
    )
    pay = add(periodic, "run", _periodic_run, "pay what is due and open reviews; the worker does it too")
    pay.add_argument("--on", default="", help="the day to count as today, 2026-12-01; default: today")
    account = commands.add_parser("account", help="accounts and posts").add_subparsers(required=True)
    give = add(
        account,
        "add",
        _account_add,
        "give a person an account; the password is read from the terminal or stdin",
    )
    give.add_argument("username")
    give.add_argument("--idno", required=True, help="GB 11643 number of the person")
    give.add_argument("--name", default="", help="needed when the person is not known yet")
    give.add_argument("--phone", default="")
    give.add_argument("--office", default="", help="full name of an office in which to give a post")
    give.add_argument("--roles", default="", help="roles of the post, with commas: acceptor,reviewer,decider")
    give.add_argument("--title", default="")
    system = add(account, "system", _account_system, "let a department's system sign people in here (OIDC)")
    system.add_argument("name", help="as people see it when they are asked")
    system.add_argument(
        "--redirect", action="append", default=[], help="where they may be sent back; repeat it"
    )
    system.add_argument("--scopes", default="openid,profile", help="of openid, profile, idno, posts")
    system.add_argument("--remove", action="store_true", help="take the right back")
    token = add(account, "token", _account_token, "make (or take back) an API token of an account")
    token.add_argument("username")
    token.add_argument("--name", required=True, help="to tell it from others")
    token.add_argument("--days", type=int, default=90, help="how long it is good, at most 366")
    token.add_argument("--scopes", default="read,apply,handle", help="with commas; default: all")
    token.add_argument("--revoke", action="store_true", help="take the token of that name back")
    ledger = add(
        commands, "ledger", _ledger, "the data ledger: export it, sign a head now, verify an export", True
    )
    ledger.add_argument("what", choices=["head", "export", "verify"])
    ledger.add_argument("folder", nargs="?", default="ledger", help="of the export")
    add(commands, "openapi", _openapi, "print the API's description, as in docs/reference/openapi.json")
    calendar = commands.add_parser("calendar", help="working days").add_subparsers(required=True)
    add(calendar, "import", _calendar_import, "import a State Council notice (YAML)").add_argument("file")
    manage = add(commands, "manage", _manage, "Django's own commands, for developers")
    manage.add_argument("options", nargs=argparse.REMAINDER)
    return top


def main() -> None:
    """Entry point of the ``yiwang`` command."""
    args = parser().parse_args()
    try:
        sys.exit(args.call(args))
    except Exception as error:
        if type(error).__name__ != "OperationalError":  # Django's, which not every command imports
            raise
        print(f"数据库连不上：{error}。请先运行 yiwang up，或检查 DATABASE_URL。", file=sys.stderr)
        sys.exit(1)
