"""Tell a person something, once."""

from uuid import UUID

from .models import Message


def tell(
    message_id: UUID, person_id: UUID, title: str, body: str, link: str = "", case_id: UUID | None = None
) -> None:
    """Leave a message in the person's inbox.

    Args:
        message_id: made from the event that it tells of, so that a repeated event tells once.
    """
    Message.objects.get_or_create(
        id=message_id,
        defaults={"subject_id": person_id, "title": title, "body": body, "link": link, "case_id": case_id},
    )
