"""Classes of enterprises with their history, names to search by, and requests for correction."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from yiwang.kernel.ids import new_id


class Grade(models.Model):
    """What the table said last of one enterprise. Read through ``enterprise_grade`` only, which writes the ledger.

    grade: the class computed on ``on``; "" is not rated. total: hundredths of a point; sums: points by slot.
    in_force: the class that sampling goes by; a class with a notice comes into force on ``from_day`` only.
    """

    uscc = models.CharField(max_length=18, primary_key=True)
    grade = models.CharField(max_length=1, blank=True)
    total = models.IntegerField()
    sums = ArrayField(models.IntegerField())
    on = models.DateField()
    in_force = models.CharField(max_length=1, blank=True)
    from_day = models.DateField(null=True)
    at = models.DateTimeField(
        null=True
    )  # when it was last graded by itself: what a run over all knew may be older


class GradeChange(models.Model):
    """A change of what ``Grade`` said: what was, what is, by which release, why. Append-only.

    grade: None when it is no subject of classes any more (struck off, say).
    """

    uscc = models.CharField(max_length=18)
    on = models.DateField()
    at = models.DateTimeField()
    grade = models.CharField(max_length=1, null=True)
    total = models.IntegerField()
    in_force = models.CharField(max_length=1, blank=True)
    from_day = models.DateField(null=True)
    was = models.CharField(max_length=1, null=True)  # null: it had not been graded
    was_total = models.IntegerField(null=True)
    release = models.CharField(max_length=64)
    why = models.CharField(max_length=60)  # daily, delivery, correction

    class Meta:
        indexes = [models.Index(fields=["uscc", "-at"])]


class Run(models.Model):
    """One run over all enterprises."""

    on = models.DateField()
    began = models.DateTimeField()
    ended = models.DateTimeField(null=True)
    release = models.CharField(max_length=64)
    counts = models.JSONField(default=dict)
    seconds = models.JSONField(default=dict)


class Correction(models.Model):
    """An enterprise asks for the correction of one line; the source department answers by ``due_on``.

    Until ``done_at`` the line is marked as disputed and does not count for the class: until it is found to be
    right, or until the source has delivered it anew (``delivery``: the one that had brought it).
    """

    class State(models.TextChoices):
        OPEN = "open", _("核实中")
        FAULTY = "faulty", _("记录有误，等待来源更正")
        SOUND = "sound", _("记录无误")
        DONE = "done", _("已经一致")
        WITHDRAWN = "withdrawn", _("要求更正的一方已撤回")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject_id = models.UUIDField(null=True)  # the enterprise that people act for; null: officials ask
    uscc = models.CharField(max_length=18)
    dataset = models.CharField(max_length=45)
    key = models.CharField(max_length=400)
    title = models.CharField(max_length=200)  # the line, as the enterprise saw it
    words = models.CharField(max_length=1000)
    org = models.ForeignKey("orgs.Organisation", null=True, on_delete=models.PROTECT, related_name="+")
    asked_by = models.CharField(max_length=60)
    asked_at = models.DateTimeField(auto_now_add=True)
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    answer = models.CharField(max_length=1000, blank=True)
    answered_by = models.CharField(max_length=60, blank=True)
    answered_at = models.DateTimeField(null=True)
    delivery = models.IntegerField()
    done_at = models.DateTimeField(null=True)
    freezes = models.BooleanField(
        default=True
    )  # false: two sources differ, which is no doubt about the record

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "key"],
                condition=models.Q(done_at=None, freezes=True),
                name="enterprise_one_open_correction",
            )
        ]
        indexes = [models.Index(fields=["uscc"]), models.Index(fields=["org", "state"])]


class Name(models.Model):
    """What an enterprise can be found by: ``plain`` is its name in small half-width letters, ``core`` without place."""

    uscc = models.CharField(max_length=18, primary_key=True)
    name = models.CharField(max_length=120)
    plain = models.CharField(max_length=120)
    core = models.CharField(max_length=120)
    region = models.CharField(max_length=6)

    class Meta:
        indexes = [
            models.Index(fields=["plain"], name="enterprise_name_plain", opclasses=["text_pattern_ops"]),
            models.Index(fields=["core"], name="enterprise_name_core", opclasses=["text_pattern_ops"]),
        ]


class Indexed(models.Model):
    """Up to which moment what deliveries of a dataset brought is in ``Name``."""

    dataset = models.CharField(max_length=45, primary_key=True)
    up_to = models.DateTimeField()


class Link(models.Model):
    """That a record without a code is about an enterprise: proposed by the model, or decided by a person.

    It counts from ``accepted_at`` until ``undone_at``, so that a past day is replayed with what was linked then.
    One that was undone stays as it is; when it is accepted again, that is another link.
    evidence: what speaks for it, in words. name_only: nothing but the name agrees; never accepted by the model.
    about: a digest of what the record said when it was compared.
    """

    class State(models.TextChoices):
        REVIEW = "review", _("待人工核对")
        ACCEPTED = "accepted", _("已关联")
        REJECTED = "rejected", _("不是这家")
        UNDONE = "undone", _("已撤销")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    dataset = models.CharField(max_length=45)
    key = models.CharField(max_length=400)
    uscc = models.CharField(max_length=18, db_index=True)
    score = models.FloatField()
    margin = models.FloatField()
    model = models.CharField(max_length=40)
    evidence = models.JSONField(default=list)
    name_only = models.BooleanField()
    state = models.CharField(max_length=10, choices=State.choices)
    at = models.DateTimeField()
    by = models.CharField(max_length=60)
    accepted_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    about = models.CharField(max_length=32, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "key", "uscc"],
                condition=~models.Q(state="undone"),
                name="enterprise_link_once",
            ),
            models.UniqueConstraint(
                fields=["dataset", "key"], condition=models.Q(state="accepted"), name="enterprise_link_of_one"
            ),
        ]
        indexes = [models.Index(fields=["state", "-score"])]


class Unlinked(models.Model):
    """A record without a code that no enterprise was found for, when it was last asked; ``about`` as in ``Link``."""

    dataset = models.CharField(max_length=45)
    key = models.CharField(max_length=400)
    about = models.CharField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "key"], name="enterprise_unlinked_once")]


class SamplingPlan(models.Model):
    """A plan of inspections by lot. Who is in scope is frozen when it is made, then the seed is; neither changes.

    regions: codes of the register, [] for all that the office is for. industries: beginnings of codes, [] for all.
    release: the packs whose percentages hold. A plan that is not drawn stays, with the reason.
    """

    class State(models.TextChoices):
        READY = "ready", _("待抽取")
        DRAWN = "drawn", _("已抽取")
        DROPPED = "dropped", _("未抽取，已作废")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.IntegerField(unique=True)
    name = models.CharField(max_length=100)
    purpose = models.CharField(max_length=60)
    org = models.ForeignKey("orgs.Organisation", on_delete=models.PROTECT, related_name="+")
    first = models.DateField()
    last = models.DateField()
    regions = ArrayField(models.CharField(max_length=9))
    industries = ArrayField(models.CharField(max_length=3))
    release = models.CharField(max_length=64)
    rounding = models.CharField(max_length=10)
    rounding_says = models.CharField(max_length=200)
    made_by = models.CharField(max_length=60)
    made_by_name = models.CharField(max_length=60)
    frozen_at = models.DateTimeField()
    seed = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)
    ended_at = models.DateTimeField(null=True)
    ended_by_name = models.CharField(max_length=60, blank=True)
    why_dropped = models.CharField(max_length=200, blank=True)


class SamplingStratum(models.Model):
    """One class within a plan: how many are in scope, the percentage and times of the table, how many are drawn.

    digest: SHA-256 of the codes in scope, see ``sampling.rules.digest``; "" when there are none.
    """

    plan = models.ForeignKey(SamplingPlan, on_delete=models.PROTECT, related_name="strata")
    place = models.IntegerField()
    grade = models.CharField(max_length=1, blank=True)
    name = models.CharField(max_length=60)
    percent = models.DecimalField(max_digits=8, decimal_places=4)
    times = models.IntegerField()
    within_days = models.IntegerField()
    says = models.CharField(max_length=200, blank=True)
    subjects = models.IntegerField()
    wanted = models.IntegerField()
    visits = models.IntegerField()
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "grade"], name="enterprise_one_stratum_a_class")
        ]


class SamplingFrame(models.Model):
    """The codes in scope of one class of a plan, in order, one a line. No right for the application role."""

    plan = models.ForeignKey(SamplingPlan, on_delete=models.PROTECT, related_name="+")
    grade = models.CharField(max_length=1, blank=True)
    codes = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "grade"], name="enterprise_one_frame_a_class")]


class Sampled(models.Model):
    """An enterprise drawn for a plan: its place in the lot of its class, the days of its visits. Append-only."""

    plan = models.ForeignKey(SamplingPlan, on_delete=models.PROTECT, related_name="drawn")
    grade = models.CharField(max_length=1, blank=True)
    place = models.IntegerField()
    uscc = models.CharField(max_length=18)
    name = models.CharField(max_length=120)
    region = models.CharField(max_length=9)
    days = ArrayField(models.DateField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "uscc"], name="enterprise_drawn_once")]
        indexes = [models.Index(fields=["plan", "grade", "place"])]


class Conflict(models.Model):
    """Two datasets say different things of one enterprise, or one lacks it; found by the rules of the pack.

    dataset, key, value, since: the source's; ``other_…``: the authority's. kind: see ``portrait.contracts.KINDS``.
    verdict: the dataset that a person found right. No right for the application role to what is said: it reads
    through ``enterprise_conflicts_of``, which writes the ledger.
    """

    class State(models.TextChoices):
        OPEN = "open", _("待裁决")
        DECIDED = "decided", _("已裁决，等待更正")
        GONE = "gone", _("已一致")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    uscc = models.CharField(max_length=18)
    fact = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    dataset = models.CharField(max_length=45)
    key = models.CharField(max_length=400, null=True)
    value = models.TextField(null=True)
    since = models.DateField(null=True)
    other_dataset = models.CharField(max_length=45)
    other_key = models.CharField(max_length=400, null=True)
    other_value = models.TextField(null=True)
    other_since = models.DateField(null=True)
    found_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    verdict = models.CharField(max_length=45, blank=True)
    why = models.CharField(max_length=1000, blank=True)
    decided_by = models.CharField(max_length=60, blank=True)
    decided_at = models.DateTimeField(null=True)
    correction = models.ForeignKey(Correction, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["uscc", "fact", "dataset"], name="enterprise_one_conflict")
        ]
        indexes = [models.Index(fields=["state", "kind"])]


class ConflictRun(models.Model):
    """One comparison of all enterprises."""

    began = models.DateTimeField()
    ended = models.DateTimeField(null=True)
    found = models.IntegerField(default=0)
