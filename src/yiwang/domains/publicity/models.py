"""Notices that are or were public, and what became of them."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from yiwang.kernel.ids import new_id


class Notice(models.Model):
    """One published record. Everybody may read it while it is in force; the system alone writes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pack = models.CharField(max_length=80)
    number = models.CharField(max_length=200)
    uscc = models.CharField(max_length=18, db_index=True)
    name = models.CharField(max_length=200)
    said = models.JSONField()  # [[label, text], …] as published
    decided_on = models.DateField()
    due_at = models.DateTimeField()  # by when the law wants it public
    published_at = models.DateTimeField()
    until = models.DateField(null=True)  # the last day on which it is public
    end_why = models.CharField(max_length=200, blank=True)  # why it will not be any more afterwards
    disputed = models.BooleanField(
        default=False
    )  # the enterprise says that it is wrong, nobody has answered yet
    backlog = models.BooleanField(default=False)  # was due before the first delivery of its dataset
    version = models.IntegerField(default=0)  # of the pack that it was made by
    down_at = models.DateTimeField(null=True)
    down_why = models.CharField(max_length=200, blank=True)
    delivery = models.IntegerField()  # seq of the delivery that brought it, or took it down
    trace_id = models.UUIDField(null=True)
    pushed_at = models.DateTimeField(null=True)  # null: other platforms have not been told of its state
    push_error = models.CharField(max_length=300, blank=True)
    rev = models.IntegerField(default=0)  # counts its changes

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pack", "number"], name="one_notice_a_decision")]
        indexes = [
            models.Index(fields=["-published_at", "id"], name="publicity_latest"),
            models.Index(fields=["id"], condition=Q(pushed_at=None), name="publicity_to_push"),
            models.Index(fields=["until"], condition=Q(down_at=None), name="publicity_to_end"),
        ]

    @property
    def late(self) -> bool:
        """Whether it was published after the day the law gives; a backlog was due before anything came here."""
        return self.published_at > self.due_at and not self.backlog


def late() -> Q:
    """The same as a condition."""
    return Q(published_at__gt=F("due_at"), backlog=False)


def public() -> Q:
    """What everybody may see today."""
    return Q(down_at=None) & (Q(until=None) | Q(until__gte=timezone.localdate()))
