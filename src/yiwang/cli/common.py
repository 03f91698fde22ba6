"""What the modules of commands share."""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

Groups = argparse._SubParsersAction


def django_ready() -> None:
    """Set Django up; only the commands that need it pay for it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yiwang.config.settings")
    import django

    django.setup()


def show(value, as_json: bool) -> None:
    """Print a value: one line of JSON, or text as it is and anything else as indented JSON."""
    if as_json or not isinstance(value, str):
        print(json.dumps(value, ensure_ascii=False, indent=None if as_json else 2))
    else:
        print(value)


def packs_root() -> Path:
    """The folder of packs: YIWANG_PACKS, or the project's."""
    from yiwang.config.environment import ROOT

    return Path(os.environ.get("YIWANG_PACKS", ROOT / "packs"))


def add(
    to: Groups, name: str, call: Callable[..., int], about: str, json_flag: bool = False
) -> argparse.ArgumentParser:
    """A command below ``to``; ``call`` gets the parsed arguments and returns the exit code."""
    command: argparse.ArgumentParser = to.add_parser(name, help=about, description=about)
    command.set_defaults(call=call)
    if json_flag:
        command.add_argument("--json", action="store_true", help="one JSON object")
    return command


def group(to: Groups, name: str, about: str) -> Groups:
    """A command that is only the beginning of others, such as ``packs``."""
    return to.add_parser(name, help=about).add_subparsers(required=True)
