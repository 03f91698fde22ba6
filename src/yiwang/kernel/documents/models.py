"""Signed documents: notices, decisions, certificates."""

from django.db import models

from yiwang.kernel.ids import new_id


class IssuedDocument(models.Model):
    """A signed PDF and what it says. Its code is the key of the public verify page."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=40)  # id of a notice, or "licence"
    title = models.CharField(max_length=120)
    number = models.CharField(max_length=60)
    subject_id = models.UUIDField(db_index=True)
    subject_name = models.CharField(max_length=50)
    holder_id = models.UUIDField(null=True, db_index=True)  # whose it is, where that is not who applied
    org_id = models.UUIDField(null=True)
    org_name = models.CharField(max_length=120)
    case_id = models.UUIDField(null=True, db_index=True)
    data = models.JSONField()
    sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["issued_at"]
