"""The audit trail of everything that is not a step of a case (those are hash-chained case events)."""

from django.db import models

from yiwang.kernel.ids import new_id


class AuditEvent(models.Model):
    """Who did what to what, when. Append-only: the application role may insert and read, never change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=60)
    actor_name = models.CharField(max_length=60)
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=80)
    detail = models.JSONField(default=dict)
    trace_id = models.UUIDField(null=True, db_index=True)
