"""Bring an installation up to date: schema, policies, packs and what packs declare."""

import csv
import io
from datetime import date
from pathlib import Path

from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone

from yiwang.kernel.access import policies
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.audit.api import record
from yiwang.kernel.calendar import api as calendar
from yiwang.kernel.orgs.models import Organisation, Region
from yiwang.kernel.packs import api as packs
from yiwang.kernel.registers.models import RegisterState

CALENDAR_FROM = 2015  # years of working days kept before this one, for old cases


def migrate() -> None:
    """Create the database when the server is ours, migrate as the owner, apply grants and policies."""
    owner = connections["owner"]
    name = owner.settings_dict["NAME"]
    with owner._nodb_cursor() as cursor:
        cursor.execute("select 1 from pg_database where datname = %s", [name])
        if not cursor.fetchone():
            cursor.execute(f'create database "{name}" encoding utf8 template template0')
        policies.ensure_role(cursor)
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    call_command("createcachetable", database="owner", verbosity=0)
    policies.apply()


def load(root: Path) -> str:
    """Put a checked tree of packs in force, and make what it declares: regions, offices, working days."""
    with acting(SYSTEM):
        release, new = packs.load(root)
        if not new:
            return f"包没有变化（{release[:12]}）"
        library = packs.library(release)
        for pack in library.all("regions"):
            _regions(pack, packs.asset(release, str(Path(pack.file).parent / pack.data["divisions"]["file"])))
        for pack in library.all("organisations"):
            _organisations(pack)
        calendar.seed(CALENDAR_FROM, timezone.localdate().year + 2)
        for pack in library.all("calendar_notice"):
            _notice(pack.data)
        record(SYSTEM, "packs.loaded", "release", release, packs=len(library))
    return f"已装载 {len(library)} 个包（{release[:12]}）"


def _notice(data) -> int:
    return calendar.import_notice(
        data["year"],
        data["document"],
        [(h["name"], date.fromisoformat(h["from"]), date.fromisoformat(h["to"])) for h in data["holidays"]],
        [date.fromisoformat(d) for d in data["workdays"]],
    )


def import_calendar(file: Path) -> str:
    """Import a notice that is not (yet) in a pack.

    Raises:
        SystemExit: the file is no valid calendar_notice pack; the message has line and remedy.
    """
    from yiwang.kernel.packs.loader import parse

    pack, problems = parse(file.read_bytes(), file.name)
    if pack is None or pack.kind != "calendar_notice":
        raise SystemExit("\n".join(map(str, problems)) or f"{file.name} 不是 calendar_notice")
    with acting(SYSTEM):
        changed = _notice(pack.data)
        record(SYSTEM, "calendar.imported", "calendar", pack.id, year=pack.data["year"])
    return f"已导入{pack.name}，{changed} 天有变化，相关期限将重新计算"


def _regions(pack, table: bytes) -> None:
    rows = list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))
    known = {row["code"] for row in rows}
    for level in ("province", "city", "county", "town"):
        Region.objects.bulk_create(
            [
                Region(
                    code=row["code"],
                    name=row["name"],
                    level=level,
                    parent_id=row["parent"] if row["parent"] in known else None,
                    official=row["official_county"] != "False",
                )
                for row in rows
                if row["level"] == level
            ],
            ignore_conflicts=True,
            batch_size=1000,
        )
    Region.objects.bulk_create(
        [
            Region(
                code=old["code"],
                name=old["name"],
                level="county",
                parent_id=f"{old['successor'][:4]}00",
                official=False,
                valid_to=date.fromisoformat(old["valid_to"]),
                successor_id=old["successor"],
            )
            for old in pack.data["history"]
            if old["successor"] in known
        ],
        ignore_conflicts=True,
    )


_LEVELS = {"province": "省级", "city": "市级", "county": "县级"}


def _organisations(pack) -> None:
    """Offices of every division, by function; a mapping moves functions to another office."""
    functions = pack.data["functions"]
    for region in Region.objects.filter(level__in=_LEVELS, valid_to=None).order_by("code"):
        holders = {name: name for name in functions}
        for mapping in pack.data.get("mappings", ()):
            if region.code[:4] == mapping["region"][:4]:
                holders |= dict.fromkeys(mapping["functions"], mapping["to"])
        for holder in dict.fromkeys(holders.values()):
            pattern = functions[holder]["names"].get(_LEVELS[region.level])
            if pattern:
                place = f"{region.parent.name if region.level == 'county' else ''}{region.name}"
                Organisation.objects.update_or_create(
                    region=region,
                    name=pattern.format(region=place),
                    defaults={"functions": [f for f, h in holders.items() if h == holder]},
                )


def switch_register(register_id: str, up: bool) -> str:
    """Mark a register as answering or not: forms then ask what it would have filled."""
    pack = packs.current().get("register", register_id)
    with acting(SYSTEM), transaction.atomic():
        RegisterState.objects.update_or_create(register=register_id, defaults={"up": up})
        record(SYSTEM, "register.switched", "register", register_id, up=up)
    return f"{pack.name}：{'可用' if up else '停用，表单将改为由申请人填写'}"
