"""Numbers of cases: region, day, and a serial that nobody has to guess."""

from datetime import datetime

from django.db import connection
from django.utils import timezone

from yiwang.kernel.orgs.models import Organisation


def number(org: Organisation, now: datetime) -> str:
    """The next number of a case: 370102-20261125-000123."""
    with connection.cursor() as cursor:
        cursor.execute("select nextval('cases_case_number')")
        (serial,) = cursor.fetchone()
    return f"{org.region_id[:6]}-{timezone.localtime(now):%Y%m%d}-{serial:06d}"
