"""Records of registers, and who looked at them."""

from django.db import models

from yiwang.kernel.ids import new_id


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


class Lookup(models.Model):
    """Who looked at whose record, for what. Append-only; the subject may read it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor = models.CharField(max_length=60)
    register = models.CharField(max_length=60)
    key = models.CharField(max_length=80)
    subject_id = models.UUIDField(null=True, db_index=True)
    purpose = models.CharField(max_length=120)
    case_id = models.UUIDField(null=True, db_index=True)
    found = models.BooleanField()
