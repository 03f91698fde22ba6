"""Messages to a person inside the platform, and their ways out of it."""

from django.db import models
from django.db.models import Q

from yiwang.kernel.ids import new_id


class Message(models.Model):
    """One message. Text message and e-mail are further ways for the same message."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject_id = models.UUIDField(db_index=True)
    title = models.CharField(max_length=120)
    body = models.TextField()
    link = models.CharField(max_length=200, blank=True)
    case_id = models.UUIDField(null=True, db_index=True)
    created = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]


class Reach(models.Model):
    """How a subject wants to be reached outside the platform. Without a row: by text message, if known."""

    subject_id = models.UUIDField(primary_key=True)
    phone = models.CharField(max_length=20, blank=True)
    email = models.EmailField(blank=True)
    sms = models.BooleanField(default=True)
    bounced = models.JSONField(default=dict)  # way → the address that could not be reached


class Delivery(models.Model):
    """A message on its way out: waits for the end of the quiet hours, is sent, is confirmed or bounces."""

    WAITING, SENDING, SENT, BOUNCED = "waiting", "sending", "sent", "bounced"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="deliveries")
    subject_id = models.UUIDField()
    way = models.CharField(max_length=8)  # sms, email
    address = models.CharField(max_length=120)
    state = models.CharField(max_length=8, default=WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    receipt = models.CharField(max_length=120, blank=True)  # what the gateway answered
    error = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "way"], name="delivery_once_a_way")]
        indexes = [
            models.Index(
                fields=["not_before"], condition=Q(state__in=["waiting", "sending"]), name="delivery_due"
            )
        ]
