"""The systems that may sign people in here. An operator makes them; the secret is shown once."""

from urllib.parse import urlparse

from allauth.idp.oidc.models import Client
from django.contrib.auth.hashers import make_password
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import Actor, Refused
from yiwang.kernel.audit.api import record

from .giving import SCOPES


def add(actor: Actor, name: str, redirects: list[str], scopes: list[str]) -> tuple[str, str]:
    """Make a client.

    Args:
        redirects: exact addresses to which people may be sent back; https, except on this machine.
        scopes: what it may ask for at most; of ``SCOPES``.

    Returns:
        Its id and its secret; only the secret's hash is kept.

    Raises:
        Refused: an address that is not https, a scope that does not exist, a name that is taken.
    """
    if Client.objects.filter(name=name).exists():
        raise Refused(_("已有名为“%(name)s”的系统，请换一个名称。") % {"name": name})
    for address in redirects:
        parts = urlparse(address)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
            raise Refused(_("回调地址 %(address)s 不是 https，请改用 https 地址。") % {"address": address})
    unknown = set(scopes) - SCOPES.keys()
    if unknown:
        raise Refused(
            _("没有名为 %(scope)s 的范围，可用的有：%(all)s。")
            % {"scope": "、".join(sorted(unknown)), "all": "、".join(SCOPES)}
        )
    secret = get_random_string(48)
    client = Client(name=name, secret=make_password(secret), type=Client.Type.CONFIDENTIAL)
    client.set_redirect_uris(redirects)
    client.set_scopes(["openid", *(scope for scope in scopes if scope != "openid")])
    client.save(force_insert=True)
    record(actor, "oidc-client.added", "oidc_client", client.id, system=name, scopes=scopes)
    return client.id, secret


def remove(actor: Actor, name: str) -> None:
    """Take the right back: it can sign nobody in from now on.

    Raises:
        Refused: there is none of that name.
    """
    client = Client.objects.filter(name=name).first()
    if client is None:
        raise Refused(_("没有名为“%(name)s”的系统。") % {"name": name})
    record(actor, "oidc-client.removed", "oidc_client", client.id, system=name)
    client.delete()
