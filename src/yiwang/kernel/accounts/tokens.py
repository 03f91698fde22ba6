"""API tokens: given out once, kept as a hash, ended by a day or by taking them back."""

import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import Cursor

from yiwang.kernel.access.contracts import VISITOR, Actor, Refused
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record

from .models import ApiToken, User
from .queries import MandateEnded, actor_of, overseen

PREFIX = "yw_"  # so that a token in a log or a repository is recognised as one
LONGEST = 366  # days
_WHO = "select * from account_of_token(%s, %s)"
SCOPES = ("read", "apply", "handle")
"""What a token may be limited to: reading, filing in one's own matters, an official's work."""


@dataclass(frozen=True)
class Bearer:
    """Who a token stands for, and what it may be used for."""

    actor: Actor
    scopes: frozenset[str]


def issue(actor: Actor, username: str, name: str, days: int, scopes: Collection[str] = SCOPES) -> str:
    """Make a token for an account. The only moment at which it can be read.

    Raises:
        Refused: no such account, a name that is taken, too long a life, or an unknown scope.
    """
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Refused(_("没有名为“%(name)s”的账号。") % {"name": username})
    if not 1 <= days <= LONGEST:
        raise Refused(_("有效期应为 1 至 %(most)s 天，到期前可以换新的。") % {"most": LONGEST})
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise Refused(
            _("没有“%(scope)s”这种范围，可选：read、apply、handle。") % {"scope": "、".join(unknown)}
        )
    if not name.strip() or ApiToken.objects.filter(user=user, name=name).exists():
        raise Refused(_("请给令牌起一个没有用过的名字，收回时好辨认。"))
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        sha256=_hash(secret),
        scopes=sorted(set(scopes)),
        expires=timezone.localdate() + timedelta(days=days),
    )
    record(actor, "token.issued", "token", token.id, username=username, name=name, scopes=token.scopes)
    return secret


def revoke(actor: Actor, username: str, name: str) -> None:
    """Take a token back, at once.

    Raises:
        Refused: the account has no such token in force.
    """
    token = ApiToken.objects.filter(user__username=username, name=name, revoked_at=None).first()
    if token is None:
        raise Refused(_("账号“%(user)s”没有名为“%(name)s”的令牌。") % {"user": username, "name": name})
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    record(actor, "token.revoked", "token", token.id, username=username, name=name)


def bearer(secret: str, acting_for: str = "") -> Bearer | None:
    """Whom a token stands for today, or None when it is unknown, ended or taken back.

    Args:
        acting_for: id of the subject whose matters these are; empty for the account's own person.

    Raises:
        MandateEnded: there is no mandate of that subject.
    """
    today = timezone.localdate()
    raw = connection.connection  # prepared once per connection: this is the first query of every call
    row = Cursor(raw).execute(_WHO, [_hash(secret), today], prepare=True).fetchone()
    if row is None:
        return None
    token_id, scopes, used, user_id, person_id, name, posts, interests = row
    if used != today:
        with as_system(VISITOR):
            ApiToken.objects.filter(id=token_id).update(used=today)
    if acting_for:
        if not _is_id(acting_for):
            raise MandateEnded(
                _("Acting-For 应是委托人或企业的编号，现为“%(id)s”。") % {"id": acting_for[:60]}
            )
        with as_system(VISITOR):
            user = User.objects.select_related("person").get(id=user_id)
            return Bearer(actor_of(user, acting_for), frozenset(scopes))
    held: dict[UUID, frozenset[str]] = {}
    for org, roles in json.loads(posts) if posts else ():
        held[UUID(org)] = held.get(UUID(org), frozenset()) | frozenset(roles)
    actor = Actor(
        name,
        user_id,
        person_id,
        held,
        interests=frozenset(interests or ()) if held else frozenset(),
        oversees=overseen(held),
    )
    return Bearer(actor, frozenset(scopes))


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
