"""Working days, as the State Council's yearly notice orders them."""

from django.db import models


class CalendarDay(models.Model):
    """One day. ``provisional``: no notice covers it yet, so weekends and fixed feasts were assumed."""

    date = models.DateField(primary_key=True)
    working = models.BooleanField()
    name = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=200)
    provisional = models.BooleanField(default=False)
