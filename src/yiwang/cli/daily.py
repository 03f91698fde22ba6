"""Small commands of every day: `register`, `policy build`, `periodic run`."""

import sys
from datetime import date

from .common import Groups, add, django_ready, group, show


def _register(args) -> int:
    django_ready()
    from yiwang.config.install import switch_register

    print(switch_register(args.id, args.state == "up"))
    return 0


def _policy_build(_args) -> int:
    django_ready()
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
    django_ready()
    from yiwang.engines.cases.periodic import run

    show(asdict(run(day)), True)
    return 0


def commands(to: Groups) -> None:
    register = add(to, "register", _register, "mark a register as answering or not")
    register.add_argument("id")
    register.add_argument("state", choices=["up", "down"])
    policy = group(to, "policy", "policies for enterprises")
    add(policy, "build", _policy_build, "copy the register of enterprises for counts over the province")
    periodic = group(to, "periodic", "benefits paid by the month")
    pay = add(periodic, "run", _periodic_run, "pay what is due and open reviews; the worker does it too")
    pay.add_argument("--on", default="", help="the day to count as today, 2026-12-01; default: today")
