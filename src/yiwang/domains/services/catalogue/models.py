"""A catalogue is data of a level or organisation, not a pack: rows, imports, and what each import changed."""

from django.db import models

from yiwang.kernel.ids import new_id


class CatalogueImport(models.Model):
    """One file that changed something. Append-only; written last in its transaction."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(max_length=80)
    file = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True)
    counts = models.JSONField()


class CatalogueItem(models.Model):
    """One row: an item as one department does it. ``elements`` holds what is known, never an empty value."""

    code = models.CharField(max_length=80, unique=True)
    base_code = models.CharField(max_length=80, db_index=True)
    source = models.CharField(max_length=80)
    row = models.IntegerField()
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=20)
    department = models.CharField(max_length=200)
    region = models.CharField(max_length=6)
    elements = models.JSONField(default=dict)
    cancelled = models.BooleanField(default=False)
    seen = models.ForeignKey(CatalogueImport, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["source", "name"]),
            models.Index(fields=["department", "name"]),
        ]

    def __str__(self):
        return self.name


class CatalogueChange(models.Model):
    """What an import did to an item. Append-only. ``before`` holds the old values of what changed."""

    item = models.ForeignKey(CatalogueItem, on_delete=models.PROTECT, related_name="changes")
    during = models.ForeignKey(CatalogueImport, on_delete=models.PROTECT, related_name="changes")
    what = models.CharField(
        max_length=10,
        choices=[("added", "新增"), ("changed", "变更"), ("cancelled", "取消"), ("restored", "恢复")],
    )
    before = models.JSONField(default=dict)
