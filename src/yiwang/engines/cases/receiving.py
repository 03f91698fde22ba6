"""Which windows may take in for which offices (``authority.received_at``)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Refused
from yiwang.kernel.orgs.models import Organisation

_SHARED = {"全省": 2, "本市": 4, "本县": 6}  # digits of the region code that window and office share


def require_receivable(
    authority: Mapping[str, Any], item_name: str, office: Organisation, window_id: UUID
) -> None:
    """Whether a window may take an item in for the office that decides it (``authority.received_at``).

    Raises:
        Refused: the pack lets only windows nearer to that office take it in.
    """
    digits = _SHARED[authority.get("received_at", "全省")]
    window = Organisation.objects.get(id=window_id)
    if window.region_id[:digits] != office.region_id[:digits]:
        raise Refused(
            _("“%(item)s”由%(office)s决定，只能在%(where)s的窗口收件；请办事人在网上提交，或到那里的窗口。")
            % {"item": item_name, "office": office.name, "where": authority["received_at"]}
        )
