"""Who signed in, who failed to, who signed out: each leaves an audit event, however the sign-in was done."""

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from yiwang.kernel.access.contracts import VISITOR, Actor
from yiwang.kernel.access.session import as_system
from yiwang.kernel.audit.api import record

from .queries import actor_of


def _who(request, user) -> Actor:
    """The person behind the account; only the system may look up who somebody is."""
    with as_system(request.actor):
        return actor_of(user)


@receiver(user_logged_in)
def signed_in(sender, request, user, **_):
    """Also the demo list and OIDC end here."""
    record(_who(request, user), "account.signed-in", "user", user.id)


@receiver(user_logged_out)
def signed_out(sender, request, user, **_):
    if user is not None:
        record(_who(request, user), "account.signed-out", "user", user.id)


@receiver(user_login_failed)
def failed(sender, credentials, request=None, **_):
    """The name that was tried, never the password."""
    name = str(credentials.get("username", ""))[:64]
    record(VISITOR, "account.sign-in-failed", "user", name)
