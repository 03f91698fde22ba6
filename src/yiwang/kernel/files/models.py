"""Uploaded files. The bytes lie in a content-addressed store; the row says whose they are."""

from django.db import models

from yiwang.kernel.ids import new_id


class StoredFile(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject_id = models.UUIDField(db_index=True)
    case_id = models.UUIDField(null=True, db_index=True)
    org_id = models.UUIDField(null=True)  # the window that took it in
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    created = models.DateTimeField(auto_now_add=True)
