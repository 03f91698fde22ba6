"""Regions, organisations and posts."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from yiwang.kernel.ids import new_id


class Region(models.Model):
    """A division of GB/T 2260, today's or a former one, or a functional zone.

    An ID number keeps the code under which it was first issued, so former codes stay (371202 莱城区).
    A functional zone (高新区) is a place of work though not a division: ``official`` is false.
    """

    code = models.CharField(max_length=9, primary_key=True)
    name = models.CharField(max_length=60)
    level = models.CharField(max_length=10)  # province, city, county, town
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    official = models.BooleanField(default=True)
    valid_to = models.DateField(null=True)
    successor = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="former")

    def __str__(self):
        return self.name


class Organisation(models.Model):
    """An office. ``functions`` says which departments' work it does: a bureau that concentrates
    approvals has several, so that concentrating them is a mapping and not code."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="organisations")
    functions = ArrayField(models.CharField(max_length=40))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["region", "name"], name="org_once_per_region")]

    def __str__(self):
        return self.name


class Post(models.Model):
    """A person's post in an organisation, with the roles that flows name."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, related_name="posts")
    org = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="posts")
    title = models.CharField(max_length=60)
    roles = ArrayField(models.CharField(max_length=30))
    since = models.DateField()
    until = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["person"])]
