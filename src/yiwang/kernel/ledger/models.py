"""Uses, whose data they touched, and the tree over them. Written by the functions of policies.sql and the worker."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from yiwang.kernel.ids import new_id


class Use(models.Model):
    """One read of register data: who, what, why. ``text`` repeats the facts as they were committed to."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor = models.CharField(max_length=60)
    orgs = ArrayField(models.UUIDField())  # the offices the actor worked for, or whose grant it was
    source = models.CharField(max_length=80)  # the register or dataset
    fields = models.TextField()  # what was read, or * for the record as it is
    purpose = models.CharField(max_length=120)
    basis = models.CharField(max_length=300, blank=True)
    case_id = models.UUIDField(null=True, db_index=True)
    visible_from = models.DateField(null=True)  # an investigation: shown to the subject from this day
    text = models.TextField(null=True)  # null: erased
    salt = models.BinaryField(null=True)
    digest = models.BinaryField()


class Entry(models.Model):
    """Whose data a use touched. Subject and salt can be erased; the commitment stays."""

    id = models.UUIDField(primary_key=True, editable=False)
    # Written by one function together with its use: a check of each row would only cost.
    use = models.ForeignKey(Use, on_delete=models.PROTECT, related_name="entries", db_constraint=False)
    subject = models.BinaryField(null=True)  # a keyed hash of register key: see ledger_subject()
    found = models.BooleanField()
    visible_from = models.DateField(null=True)  # as the use: the subject sees neither before
    salt = models.BinaryField(null=True)
    commitment = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["subject", "-id"], name="ledger_of_subject")]


class Pending(models.Model):
    """A commitment that waits for its place in the tree."""

    entry_id = models.UUIDField(primary_key=True)
    commitment = models.BinaryField()


class Leaf(models.Model):
    """Where in the tree an entry is."""

    position = models.BigIntegerField(primary_key=True)
    entry_id = models.UUIDField(unique=True)


class Tile(models.Model):
    """Hashes of the tree: see tiles.py."""

    pk = models.CompositePrimaryKey("level", "number")
    level = models.PositiveSmallIntegerField()
    number = models.BigIntegerField()
    hashes = models.BinaryField()


class Head(models.Model):
    """A signed tree head, as it was given out."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    at = models.DateTimeField()
    note = models.TextField()
    mailed = models.BooleanField(default=False)


class Doubt(models.Model):
    """Somebody says that a use of his data was not right; the office that used it answers.

    What the system used, the data authority answers: the office of a steward. ``round`` 2: not content with the
    first answer, and the data authority answers.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    use = models.ForeignKey(Use, on_delete=models.PROTECT, related_name="doubts")
    subject_id = models.UUIDField(db_index=True)
    org_id = models.UUIDField(null=True, db_index=True)  # who has to answer; null: there is no steward yet
    round = models.PositiveSmallIntegerField(default=1)
    words = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    answer = models.TextField(blank=True)
    justified = models.BooleanField(null=True)
    answered_by = models.CharField(max_length=60, blank=True)
    answerer_id = models.UUIDField(null=True)
    answered_at = models.DateTimeField(null=True)
    overdue_told = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["use", "subject_id", "round"], name="one_doubt_a_use_and_round")
        ]
