"""How much an account has written this minute. Not worth a log record: the table is unlogged."""

from django.db import models


class WriteCount(models.Model):
    """What the web processes have taken of an account's writes in one minute; see limits.py."""

    account = models.UUIDField(primary_key=True)
    minute = models.BigIntegerField()
    taken = models.PositiveIntegerField()
