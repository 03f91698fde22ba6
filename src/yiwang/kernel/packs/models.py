"""Loaded packs. A case keeps the release it began with, so what was loaded is never changed or dropped."""

from django.db import models


class PackFile(models.Model):
    """The bytes of one file, by hash."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField()


class Release(models.Model):
    """A whole tree of packs, as it was checked and loaded: file name → hash."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    loaded = models.DateTimeField(auto_now_add=True)
    files = models.JSONField()

    class Meta:
        get_latest_by = "loaded"
