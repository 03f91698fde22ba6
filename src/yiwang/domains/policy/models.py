"""What enterprises said and asked for, what departments draft, and the money: lists, grants, payments."""

from django.db import models
from django.db.models import Q

from yiwang.kernel.ids import new_id


class Statement(models.Model):
    """A value that an enterprise stated itself (企业填报) because no register has it. JSON text of the value."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject_id = models.UUIDField()
    field = models.CharField(max_length=40)
    value = models.CharField(max_length=40)
    stated_by = models.CharField(max_length=60)
    stated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject_id", "field"], name="policy_stated_once")]


class Subscription(models.Model):
    """The enterprise wants changes by text message and e-mail as well; its inbox has them anyway."""

    subject_id = models.UUIDField(primary_key=True)
    since = models.DateTimeField(auto_now_add=True)


class Standing(models.Model):
    """The policies that an enterprise was entitled to when it was last judged."""

    subject_id = models.UUIDField(primary_key=True)
    uscc = models.CharField(max_length=18, unique=True)
    entitled = models.JSONField(default=list)
    judged_at = models.DateTimeField(auto_now=True)


class PolicyDraft(models.Model):
    """A policy as its department wants it. ``data`` is the whole pack; published ones are never changed."""

    DRAFT, HANDED_IN, PUBLISHED, REJECTED = "draft", "handed-in", "published", "rejected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    policy = models.CharField(max_length=80)
    org_id = models.UUIDField(db_index=True)
    data = models.JSONField()
    state = models.CharField(max_length=12, default=DRAFT)
    author = models.CharField(max_length=60)  # label of the actor
    author_name = models.CharField(max_length=60)
    saved = models.DateTimeField(auto_now=True)
    decided_by = models.CharField(max_length=60, blank=True)
    decided_name = models.CharField(max_length=60, blank=True)
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)
    release = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-saved"]


class Round(models.Model):
    """A list of those entitled, made at one moment by one release, and its publicity period."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    policy = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    period = models.CharField(max_length=8)  # 2026, or once
    release = models.CharField(max_length=64)
    org_id = models.UUIDField(db_index=True)
    made_by = models.CharField(max_length=60)
    made_at = models.DateTimeField(auto_now_add=True)
    public_until = models.DateField()  # the last day of publicity
    closed_at = models.DateTimeField(null=True)  # publicity is over, wishes were asked

    class Meta:
        ordering = ["-made_at"]


class Application(models.Model):
    """Which policy an application is for. The id is the draft's, which becomes the case's."""

    id = models.UUIDField(primary_key=True, editable=False)
    policy = models.CharField(max_length=80)
    subject_id = models.UUIDField(db_index=True)
    uscc = models.CharField(max_length=18)
    made_at = models.DateTimeField(auto_now_add=True)


class Grant(models.Model):
    """One enterprise on a list, on its way to the money."""

    LISTED, ASKED, AGREED, DECLINED, PAID, STOPPED = (
        "listed",
        "asked",
        "agreed",
        "declined",
        "paid",
        "stopped",
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="grants")
    policy = models.CharField(max_length=80)
    period = models.CharField(max_length=8)
    org_id = models.UUIDField(db_index=True)
    subject_id = models.UUIDField(null=True, db_index=True)  # null: nobody acts for it here yet
    uscc = models.CharField(max_length=18)
    name = models.CharField(max_length=120)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    state = models.CharField(max_length=10, default=LISTED)
    account = models.CharField(max_length=40, blank=True)  # where the money goes, as the enterprise said
    case_id = models.UUIDField(null=True)  # of the application, where there was one
    reason = models.CharField(max_length=500, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-amount", "uscc"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "uscc", "period"],
                condition=~Q(state__in=["declined", "stopped"]),
                name="policy_granted_once",
            ),
        ]


class Payment(models.Model):
    """Money that moved. Written once, never changed: PostgreSQL lets nobody pay the same thing twice."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, related_name="payment")
    policy = models.CharField(max_length=80)
    uscc = models.CharField(max_length=18)
    period = models.CharField(max_length=8)
    stack = models.CharField(max_length=40, blank=True)  # the group of which only one is paid
    subject_id = models.UUIDField(null=True, db_index=True)
    org_id = models.UUIDField(db_index=True)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    receipt = models.CharField(max_length=40, unique=True)
    paid_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "uscc", "period"], name="policy_paid_once"),
            models.UniqueConstraint(
                fields=["stack", "uscc", "period"], condition=~Q(stack=""), name="policy_stack_paid_once"
            ),
        ]


class Objection(models.Model):
    """An enterprise disagrees with what was found; the issuing office answers."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    policy = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    subject_id = models.UUIDField(db_index=True)
    subject_name = models.CharField(max_length=120)
    org_id = models.UUIDField(null=True, db_index=True)
    words = models.CharField(max_length=1000)
    made_at = models.DateTimeField(auto_now_add=True)
    due_on = models.DateField()
    answer = models.CharField(max_length=1000, blank=True)
    answered_by = models.CharField(max_length=60, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at"]
