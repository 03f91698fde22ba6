"""Grants and row-level security, applied as the owner after each migration; safe to run again."""

import re
from importlib.resources import files

from django.apps import apps
from django.conf import settings
from django.db import connections

from .contracts import APPLICATION_ROLE

_GRANTS = f"""
grant usage on schema public to {APPLICATION_ROLE};
grant select, insert, update, delete on all tables in schema public to {APPLICATION_ROLE};
grant usage on all sequences in schema public to {APPLICATION_ROLE};
revoke all on django_migrations from {APPLICATION_ROLE};
"""


def ensure_role(cursor) -> None:
    """Make the application role: owns nothing, passes no policy.

    It logs in on a trusted socket, with a password of the operator's, or with the one made from the
    secret key where only the owner's URL was given.
    """
    cursor.execute("select 1 from pg_roles where rolname = %s", [APPLICATION_ROLE])
    if not cursor.fetchone():
        cursor.execute(f"create role {APPLICATION_ROLE} login nosuperuser nobypassrls")
    if settings.APPLICATION_PASSWORD:
        cursor.execute(f"alter role {APPLICATION_ROLE} password %s", [settings.APPLICATION_PASSWORD])


def apply() -> list[str]:
    """Grant the application role its rights, then run every room's ``policies*.sql``, by name.

    Returns:
        The tables that row-level security protects.
    """
    protected: list[str] = []
    with connections["owner"].cursor() as cursor:
        ensure_role(cursor)
        cursor.execute(_GRANTS)
        for config in apps.get_app_configs():
            if not config.name.startswith("yiwang."):
                continue
            scripts = [f for f in files(config.name).iterdir() if re.fullmatch(r"policies\w*\.sql", f.name)]
            for script in sorted(scripts, key=lambda f: f.name):
                cursor.execute(script.read_text().replace("{app}", APPLICATION_ROLE))
                protected += re.findall(r"alter table (\w+) enable row level security", script.read_text())
    return protected
