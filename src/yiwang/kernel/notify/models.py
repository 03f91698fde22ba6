"""Messages to a person inside the platform."""

from django.db import models

from yiwang.kernel.ids import new_id


class Message(models.Model):
    """One message. E-mail and SMS are further ways for the same message, when they come."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject_id = models.UUIDField(db_index=True)
    title = models.CharField(max_length=120)
    body = models.TextField()
    link = models.CharField(max_length=200, blank=True)
    case_id = models.UUIDField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]
