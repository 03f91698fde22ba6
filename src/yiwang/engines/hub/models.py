"""Deliveries of datasets, and the quality of each dataset over time. The records themselves: ``tables.py``."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from yiwang.kernel.ids import new_id


class State(models.TextChoices):
    """Where a delivery is. Everything before ``LOADED`` can begin again from its file."""

    RECEIVING = "receiving", _("正在上传")
    RECEIVED = "received", _("已收到，等待装载")
    LOADING = "loading", _("正在校验")
    VALIDATED = "validated", _("已校验，正在装载")
    LOADED = "loaded", _("已装载")
    REFUSED = "refused", _("没有装载")


WAITING = (State.RECEIVED, State.LOADING, State.VALIDATED)


class Delivery(models.Model):
    """One file (or push, or pull) of one dataset: 一批. ``seq`` is what rows of tables refer to.

    as_of: the moment up to which its data is true; orders versions, whenever they come.
    release, contract_version: the contract it is judged by, even when a newer one is loaded meanwhile.
    path: the file before it is in the store, under ``var/hub/inbox``; afterwards ``sha256`` finds it.
    lake_version: of the Delta table that has its rows; null while the lake is behind.
    """

    seq = models.AutoField(primary_key=True)
    uid = models.UUIDField(unique=True, default=new_id, editable=False)
    dataset = models.CharField(max_length=45)
    contract_version = models.IntegerField()
    release = models.CharField(max_length=64)
    org = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    actor = models.CharField(max_length=60)
    actor_name = models.CharField(max_length=60)
    channel = models.CharField(max_length=10)  # page, api, pull, system
    name = models.CharField(max_length=200)
    batch = models.CharField(
        max_length=80, blank=True
    )  # the sender's own mark; the same again is the same delivery
    size = models.BigIntegerField()
    path = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    mode = models.CharField(max_length=10)
    as_of = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    not_before = models.DateTimeField(auto_now_add=True)
    loaded_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    counts = models.JSONField(default=dict)
    tally = models.JSONField(default=list)
    messages = models.JSONField(default=list)
    seconds = models.JSONField(default=dict)
    workbook = models.CharField(max_length=64, blank=True)
    lake_version = models.IntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["dataset", "-received_at"]),
            models.Index(fields=["state", "not_before"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "actor", "batch"], condition=~models.Q(batch=""), name="hub_batch_once"
            )
        ]

    def __str__(self):
        return f"{self.dataset} {self.seq}"


class Holding(models.Model):
    """What is held of a dataset now. Written by the collector; tells the database functions what they may read."""

    dataset = models.CharField(max_length=45, primary_key=True)
    name = models.CharField(max_length=80)
    department = models.CharField(max_length=40)
    contract_version = models.IntegerField()
    key = models.JSONField()
    subject_field = models.CharField(max_length=45)
    rows = models.BigIntegerField(default=0)
    latest_as_of = models.DateTimeField(null=True)
    reminded_for = models.DateTimeField(null=True)  # the moment it was overdue from, already told of
    pulled_at = models.DateTimeField(null=True)


class Quality(models.Model):
    """How good a dataset was after a delivery; four shares from 0 to 1, and their mean. Append-only.

    correct: good rows among those that came. complete: filled cells among those of the good rows.
    timely: 1 when it came within its cycle. covered: records held among those that should be there.
    """

    dataset = models.CharField(max_length=45)
    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, related_name="quality")
    at = models.DateTimeField()
    correct = models.FloatField()
    complete = models.FloatField()
    timely = models.FloatField()
    covered = models.FloatField()
    score = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["dataset", "-at"])]
