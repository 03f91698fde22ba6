"""Storage of cases. Written only by ``store.py`` (and drafts by ``applying.py``); invariants are constraints."""

from django.db import models
from django.db.models import Q

from yiwang.kernel.ids import new_id

from . import words


class Flow(models.Model):
    """A compiled flow, immutable, by the hash of its BPMN XML."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    key = models.CharField(max_length=60)
    xml = models.TextField()
    graph = models.JSONField()


class Draft(models.Model):
    """An application being filled in. Saved at every step; submitting it makes the case of the same id."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ref = models.CharField(max_length=80)  # id of a bundle or service item
    release = models.CharField(max_length=64)
    subject_id = models.UUIDField(db_index=True)  # whose matter it is: a person or an enterprise
    subject_kind = models.CharField(max_length=12, default="person")
    applicant_id = models.UUIDField(null=True)  # the person of the form's login role
    org_id = models.UUIDField(null=True, db_index=True)  # the window that helps with it
    handover_code = models.CharField(max_length=12, unique=True, null=True)  # lets a window take it over
    handover_until = models.DateTimeField(null=True)
    answers = models.JSONField(default=dict)  # situation id → answer
    data = models.JSONField(default=dict)  # path → value, as typed
    uploads = models.JSONField(default=dict)  # material key → file id
    looked_up = models.JSONField(default=dict)  # register|key → record; emptied on submission
    done = models.JSONField(default=list)  # pages saved
    revision = models.PositiveIntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)
    saved = models.DateTimeField(auto_now=True)
    submitted_at = models.DateTimeField(null=True)


class Case(models.Model):
    """A matter being handled: a bundle (parent), or one item of one department (alone or child)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=12)  # bundle, service_item
    ref = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    release = models.CharField(max_length=64)
    flow = models.ForeignKey(Flow, on_delete=models.PROTECT)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    after = models.JSONField(default=list)  # refs of the siblings whose results it needs first
    subject_id = models.UUIDField()
    subject_name = models.CharField(max_length=50)
    org = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT)
    channel = models.CharField(max_length=20, default="online")
    status = models.CharField(max_length=12, choices=words.choices(words.STATUS))
    phase = models.CharField(max_length=12, choices=words.choices(words.PHASE))
    result = models.CharField(max_length=12, choices=words.choices(words.RESULT), blank=True)
    data = models.JSONField()
    extra = models.JSONField(default=dict)  # pending extension, supplement list: see contracts.py
    counter = models.PositiveIntegerField(default=0)
    scopes = models.JSONField(default=list)
    seq = models.PositiveIntegerField(default=0)
    head = models.BinaryField(default=bytes)
    trace_id = models.UUIDField()
    submitted_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    legal_due_at = models.DateTimeField(null=True)
    due_provisional = models.BooleanField(default=False)
    decided_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject_id", "-submitted_at"]),
            models.Index(fields=["org", "-submitted_at"]),
            models.Index(fields=["parent"]),
            models.Index(fields=["trace_id"], name="case_trace"),
            models.Index(fields=["due_at"], condition=Q(closed_at=None), name="case_open_due"),
            models.Index(
                fields=["accepted_at"],
                condition=Q(due_provisional=True, closed_at=None),
                name="case_provisional",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None, result="") | (Q(closed_at__isnull=False) & ~Q(result="")),
                name="closed_has_result",
            )
        ]


class Token(models.Model):
    """Where a case stands in its flow; a token of kind ``user`` is a piece of work for a role."""

    pk = models.CompositePrimaryKey("case_id", "id")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="tokens", db_index=False)
    id = models.PositiveIntegerField()
    node = models.CharField(max_length=80)
    scope = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=30, blank=True)
    org_id = models.UUIDField(null=True)
    body = models.JSONField()
    due_at = models.DateTimeField(null=True)
    created = models.DateTimeField()
    assignee_id = models.UUIDField(null=True)  # the official it was given to; null: anybody with the role
    assignee_name = models.CharField(max_length=50, null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["org_id", "due_at", "case_id"], condition=Q(kind="user"), name="token_work_list"
            )
        ]


class Timer(models.Model):
    """A timer of a flow. Fired by workers that lock the case first, never the timer."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="timers", db_index=False)
    token = models.PositiveIntegerField()
    node = models.CharField(max_length=80)
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["case", "token"])]


class Event(models.Model):
    """What happened to a case: append-only, chained by hash over the stored bytes."""

    pk = models.CompositePrimaryKey("case_id", "seq")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=60)
    actor_name = models.CharField(max_length=60)
    command_id = models.UUIDField(unique=True)
    type = models.CharField(max_length=30)
    body = models.TextField()  # canonical JSON; the hash is over exactly these bytes
    algorithm = models.CharField(max_length=10)
    hash = models.BinaryField()


class ClockInterval(models.Model):
    """A stretch in which the case's clock ran, or stood still on a legal ground."""

    pk = models.CompositePrimaryKey("case_id", "n")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clock", db_index=False)
    n = models.PositiveSmallIntegerField()
    running = models.BooleanField()
    ground = models.CharField(max_length=120, blank=True)
    basis = models.CharField(max_length=200, blank=True)
    start = models.DateTimeField()
    end = models.DateTimeField(null=True)


class Rating(models.Model):
    """好差评: one per case, five levels (国办发〔2019〕51号)."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.PROTECT, related_name="rating")
    subject_id = models.UUIDField()
    level = models.PositiveSmallIntegerField()
    comment = models.CharField(max_length=500, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=5), name="rating_of_five_levels")
        ]


class Rectification(models.Model):
    """整改: what a bad rating or a complaint sets going. Done by somebody else than the rated, then asked back."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="rectifications")
    kind = models.CharField(max_length=12)  # rating, complaint
    words = models.TextField(blank=True)  # what the person wrote
    level = models.PositiveSmallIntegerField(null=True)  # of the rating
    subject_id = models.UUIDField(db_index=True)
    org_id = models.UUIDField(db_index=True)
    assignee_id = models.UUIDField(null=True)  # null: any manager of the office who was not rated
    assignee_name = models.CharField(max_length=50, blank=True)
    rated = models.JSONField()  # labels of those who acted on the case: none of them may do it
    round = models.PositiveSmallIntegerField(default=1)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answer = models.TextField(blank=True)  # what was found and mended, for the person
    called_back = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True)
    solved = models.BooleanField(null=True)  # as the person says
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "kind", "round"], name="one_rectification_a_round")
        ]


class Undertaking(models.Model):
    """What an applicant undertook on applying: a fact pledged, or a material to follow, by a day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="undertakings")
    subject_id = models.UUIDField(db_index=True)
    org_id = models.UUIDField(null=True, db_index=True)
    kind = models.CharField(max_length=8)  # pledge, owed
    key = models.CharField(max_length=80)  # material@holder
    name = models.CharField(max_length=120)
    text = models.TextField(blank=True)  # of the pledge, as signed
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()  # to be checked, or handed in, by
    reminded_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    kept = models.BooleanField(null=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(settled_at=None), name="undertaking_open"),
        ]


class Consent(models.Model):
    """Somebody's yes to an application that he does not file himself; without everybody's there is no case."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="consents")
    subject_id = models.UUIDField(db_index=True)  # who is asked
    subject_name = models.CharField(max_length=50, default="")  # as the applicant wrote it
    role = models.CharField(max_length=80, default="")  # of the form: partner, founder_2
    round = models.PositiveIntegerField(default=1)  # everybody is asked anew when one said no
    asker_id = models.UUIDField()
    asker_name = models.CharField(max_length=50)
    name = models.CharField(max_length=120)  # of the service
    until = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    agreed = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["draft", "subject_id"],
                condition=Q(answered_at=None),
                name="one_open_consent_a_person",
            )
        ]


class Review(models.Model):
    """An office's opinion on a case that another office decides (会审)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reviews")
    org_id = models.UUIDField()  # who is asked
    org_name = models.CharField(max_length=100)
    asker_org_id = models.UUIDField()
    asker_name = models.CharField(max_length=60)
    question = models.TextField()
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    opinion = models.CharField(max_length=12, blank=True)  # agree, conditional, against
    text = models.TextField(blank=True)
    answered_by = models.CharField(max_length=60, blank=True)
    answered_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["org_id", "due_at"],
                condition=Q(answered_at=None, dropped_at=None),
                name="review_open",
            )
        ]


class Grant(models.Model):
    """A benefit that a case awards and that is paid period by period (see periodic.py)."""

    case = models.OneToOneField(Case, primary_key=True, on_delete=models.PROTECT, related_name="grant")
    subject_id = models.UUIDField(db_index=True)
    org_id = models.UUIDField(null=True, db_index=True)
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=8, default="active")  # active, paused, stopped
    because = models.CharField(max_length=300, blank=True)
    due_period = models.CharField(max_length=7)  # the next to be paid: 2026-12
    review_on = models.DateField(null=True)  # the next yearly review
    review_open = models.BooleanField(default=False)
    ended_on = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_period"], condition=~Q(status="stopped"), name="grant_due"),
        ]


class Payment(models.Model):
    """One period of a grant, paid once: append-only, and unique in the database."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="payments")
    subject_id = models.UUIDField(db_index=True)
    org_id = models.UUIDField(null=True, db_index=True)
    period = models.CharField(max_length=7)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    account = models.CharField(max_length=4, blank=True)  # last four digits
    paid_on = models.DateField()

    class Meta:
        ordering = ["-period"]
        constraints = [
            models.UniqueConstraint(fields=["grant", "period"], name="one_payment_a_period"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_is_positive"),
        ]


class SavedFilter(models.Model):
    """A filter of the inbox under a name of the official's own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person_id = models.UUIDField()
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person_id", "name"], name="filter_name_once")]


class Number(models.Model):
    """Counters from which results draw their serial numbers, such as a register's next certificate."""

    scope = models.CharField(max_length=120, primary_key=True)
    last = models.BigIntegerField(default=0)
