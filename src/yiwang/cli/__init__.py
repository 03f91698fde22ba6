"""`yiwang …`: everything an operator or pack author does from a terminal; a module for each group of commands."""

import argparse
import sys

from . import accounts, daily, dmn, flow, hub, ledger, measuring, packs, running


def parser() -> argparse.ArgumentParser:
    """The command line. The order here is the order in the help."""
    top = argparse.ArgumentParser(prog="yiwang", description="一网: run, check and look after the platform")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    running.commands(commands)
    hub.commands(commands)
    packs.commands(commands)
    flow.commands(commands)
    dmn.commands(commands)
    measuring.commands(commands)
    daily.commands(commands)
    accounts.commands(commands)
    ledger.commands(commands)
    running.for_developers(commands)
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
