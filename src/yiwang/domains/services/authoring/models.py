"""Proposed packs."""

from django.db import models

from yiwang.kernel.ids import new_id


class Proposal(models.Model):
    """One pack file as somebody wants it. What was published is never changed: a new proposal follows."""

    DRAFT, HANDED_IN, PUBLISHED, REJECTED = "draft", "handed-in", "published", "rejected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    path = models.CharField(max_length=120)
    content = models.TextField()
    state = models.CharField(max_length=12, default=DRAFT)
    author = models.CharField(max_length=60)  # label of the actor
    author_name = models.CharField(max_length=60)
    created = models.DateTimeField(auto_now_add=True)
    saved = models.DateTimeField(auto_now=True)
    decided_by = models.CharField(max_length=60, blank=True)
    decided_name = models.CharField(max_length=60, blank=True)
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)
    release = models.CharField(max_length=64, blank=True)  # that it came into force with

    class Meta:
        db_table = "services_proposal"
        ordering = ["-saved"]
