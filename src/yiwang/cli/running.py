"""Start, stop, migrate, work, look after: `yiwang up`, `down`, `migrate`, `work`, and what developers use."""

import argparse
import json
from pathlib import Path

from .common import Groups, add, django_ready, group


def _up(_args) -> int:
    from yiwang.config.supervisor import up

    return up()


def _down(_args) -> int:
    from yiwang.config.supervisor import down

    return down()


def _migrate(_args) -> int:
    django_ready()
    from yiwang.config.install import migrate

    migrate()
    return 0


def _work(_args) -> int:
    django_ready()
    from yiwang.engines.cases.worker import run_forever

    run_forever()
    return 0


def _openapi(_args) -> int:
    django_ready()
    from yiwang.surfaces.api.v1 import schema

    print(json.dumps(schema(), ensure_ascii=False, indent=1))
    return 0


def _calendar_import(args) -> int:
    django_ready()
    from yiwang.config.install import import_calendar

    print(import_calendar(Path(args.file)))
    return 0


def _manage(args) -> int:
    django_ready()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["yiwang manage", *args.options])
    return 0


def commands(to: Groups) -> None:
    add(to, "up", _up, "start database, migrations, packs, web and worker; Ctrl-C stops all of it")
    add(to, "down", _down, "stop what `yiwang up` started")
    add(to, "migrate", _migrate, "bring the database up to date, as its owner")
    add(to, "work", _work, "run one worker")


def for_developers(to: Groups) -> None:
    add(to, "openapi", _openapi, "print the API's description, as in docs/reference/openapi.json")
    calendar = group(to, "calendar", "working days")
    add(calendar, "import", _calendar_import, "import a State Council notice (YAML)").add_argument("file")
    manage = add(to, "manage", _manage, "Django's own commands, for developers")
    manage.add_argument("options", nargs=argparse.REMAINDER)
