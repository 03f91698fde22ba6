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
    """What is held of a dataset now. Written by the collector; tells the database functions what they may read.

    by_region: division → records, where the contract names a territory.
    """

    dataset = models.CharField(max_length=45, primary_key=True)
    name = models.CharField(max_length=80)
    department = models.CharField(max_length=40)
    contract_version = models.IntegerField()
    key = models.JSONField()
    subject_field = models.CharField(max_length=45)
    rows = models.BigIntegerField(default=0)
    by_region = models.JSONField(null=True)
    latest_as_of = models.DateTimeField(null=True)
    reminded_for = models.DateTimeField(null=True)  # the moment it was overdue from, already told of
    pulled_at = models.DateTimeField(null=True)


class Reported(models.Model):
    """What came of a dataset with a territory from one office, so that each is judged by its own deliveries.

    org: null for the system, whose deliveries are everybody's.
    correct: share of good rows of the last delivery that had any.
    reminded_for: the due moment already told of: to the office, or (null) to the stewards, when a dataset with or
    without a territory has nobody who reports it.
    """

    dataset = models.CharField(max_length=45)
    org = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    latest_as_of = models.DateTimeField(null=True)
    correct = models.FloatField(null=True)
    reminded_for = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "org"], nulls_distinct=False, name="hub_reported_once")
        ]


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


class SharingRequest(models.Model):
    """An office asks for the use of another's dataset. ``org`` asks, ``source`` decides by ``due_at``.

    fields, plain: ids; plain ones are wanted without a mask. rows: conditions {field, test, value}, all of them.
    daily: records a day. renews: the grant that this one is to follow.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("等来源部门答复")
        GRANTED = "granted", _("已同意")
        REFUSED = "refused", _("不同意")
        WITHDRAWN = "withdrawn", _("已撤回")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.CharField(max_length=45)
    org = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="+")
    fields = models.JSONField()
    plain = models.JSONField(default=list)
    rows = models.JSONField(default=list)
    purpose = models.CharField(max_length=60)
    basis = models.CharField(max_length=200)
    reasons = models.TextField()
    daily = models.IntegerField()
    until = models.DateField()
    renews = models.ForeignKey(
        "hub.SharingGrant", null=True, on_delete=models.PROTECT, related_name="renewals"
    )
    at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    answer = models.TextField(blank=True)
    answered_by = models.CharField(max_length=60, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["source", "state", "due_at"]), models.Index(fields=["org", "-at"])]


class SharingGrant(models.Model):
    """What an office may read of a dataset: enforced by ``hub_granted``, which reads this row.

    fields: [{id, level, mask}] in the contract's order. A revoked or ended grant stays as the record of what was.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.OneToOneField(SharingRequest, on_delete=models.PROTECT, related_name="grant")
    dataset = models.CharField(max_length=45)
    org = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT, related_name="+")
    fields = models.JSONField()
    rows = models.JSONField(default=list)
    purpose = models.CharField(max_length=60)
    basis = models.CharField(max_length=200)
    daily = models.IntegerField()
    since = models.DateField()
    until = models.DateField()
    reminded = models.BooleanField(default=False)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=60, blank=True)
    revoked_why = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["org", "-since"]), models.Index(fields=["dataset", "-since"])]


class SharingLimits(models.Model):
    """What a contract gives out at all (``sharing.rows``), by release. Written as the owner; read by ``hub_granted``.

    A release is known by its hash, so a row never changes.
    """

    dataset = models.CharField(max_length=45)
    release = models.CharField(max_length=64)
    rows = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "dataset"], name="hub_limits_once")]


class SharingUse(models.Model):
    """One read under a grant. Written by ``hub_granted`` alone; counts towards the day's quota.

    gone: those of ``records`` that were told to be no longer given out. use_id: the use in the ledger, whose
    entries name the subjects.
    """

    id = models.BigAutoField(primary_key=True)
    grant = models.ForeignKey(SharingGrant, on_delete=models.PROTECT, related_name="uses")
    at = models.DateTimeField()
    day = models.DateField()
    actor = models.CharField(max_length=60)
    records = models.IntegerField()
    gone = models.IntegerField(default=0, db_default=0)
    use_id = models.UUIDField()

    class Meta:
        indexes = [models.Index(fields=["grant", "day"])]
