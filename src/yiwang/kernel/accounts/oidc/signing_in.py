"""Signing in through the province's identity provider: who it says somebody is, he is here."""

import logging
import re

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import as_system
from yiwang.kernel.accounts.models import Person, User
from yiwang.kernel.audit.api import record
from yiwang.kernel.ids import new_id

log = logging.getLogger(__name__)
_IDNO = re.compile(r"[0-9]{17}[0-9X]")  # GB 11643; the provider has verified it


class Adapter(DefaultSocialAccountAdapter):
    """Accounts follow the real-name identity; nobody signs up by filling in a form."""

    def populate_user(self, request, sociallogin, data):
        sociallogin.claims = data
        return sociallogin.user

    def pre_social_login(self, request, sociallogin):
        """The first time: find or make the person behind the identity, and tie the two together."""
        if sociallogin.is_existing:
            return
        name = str(sociallogin.claims.get("name") or "").strip()
        idno = str(sociallogin.claims.get("idno") or "").strip().upper()
        if not name or not _IDNO.fullmatch(idno):
            raise ImmediateHttpResponse(
                _page(
                    request, _("统一身份认证没有给出您的实名信息，请先在那里完成实名认证，再回来登录。"), 403
                )
            )
        with as_system(request.actor):
            sociallogin.connect(request, _user_of(name, idno))

    def send_notification_mail(self, *args, **kwargs):
        """Messages go through kernel/notify; a sign-in leaves an audit event already."""

    def on_authentication_error(self, request, provider, error=None, exception=None, extra_context=None):
        """Cancelled or failed there: say so, and offer the way back to where he was."""
        log.warning("sign-in through %s failed: %s %s", provider, error, exception)
        raise ImmediateHttpResponse(unreachable(request))


def _user_of(name: str, idno: str) -> User:
    person, new = Person.objects.get_or_create(idno=idno, defaults={"name": name})
    if person.name != name:  # the provider is the authority on names, which people may change
        person.name = name
        person.save(update_fields=["name"])
        record(SYSTEM, "person.renamed", "person", person.id)
    users = list(User.objects.filter(person=person, is_active=True)[:2])
    if len(users) == 1:
        return users[0]
    user = User.objects.create_user(new_id().hex, person=person)
    record(SYSTEM, "account.added", "user", user.id, by="oidc", person_new=new)
    return user


def unreachable(request):
    """503: the provider does not answer. What was typed elsewhere is kept, so waiting costs nothing."""
    text = _(
        "“%(provider)s”暂时连不上，登录没有完成。请稍后再试，或用本平台的用户名和密码登录；已经保存的内容都在。"
    )
    return _page(request, text % {"provider": settings.ENV.oidc_label}, 503)


def _page(request, text, status):
    context = {
        "title": _("没有登录成功"),
        "text": text,
        "href": reverse("account_login"),
        "action": _("回登录页"),
    }
    return render(request, "portal/message.html", context, status=status)
