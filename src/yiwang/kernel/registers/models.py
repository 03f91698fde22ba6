"""Records of registers. Who read them is in the ledger."""

from django.db import models


class Record(models.Model):
    """One subject's record in one register, by the register's key. Readable only through ``register_read``."""

    pk = models.CompositePrimaryKey("register", "key")
    register = models.CharField(max_length=60)
    key = models.CharField(max_length=80)
    fields = models.JSONField()
    updated = models.DateTimeField(auto_now=True)


class RegisterState(models.Model):
    """Whether a register answers at present; absent means up."""

    register = models.CharField(max_length=60, primary_key=True)
    up = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True)
