"""The outbox: what has happened and still has to be told to somebody."""

from django.db import models
from django.utils import timezone


class OutboxEvent(models.Model):
    """Written in the transaction of the fact itself, delivered afterwards by the worker, in order of id."""

    topic = models.CharField(max_length=60)
    body = models.JSONField()
    trace_id = models.UUIDField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    not_before = models.DateTimeField(
        default=timezone.now
    )  # not auto_now_add, which forgets what it is given
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["not_before", "id"])]
