"""Departments' systems sign their users in here: what each scope tells them about a person."""

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yiwang.kernel.access.session import as_system
from yiwang.kernel.accounts.queries import actor_of
from yiwang.kernel.audit.api import record
from yiwang.kernel.orgs.models import Post

SCOPES = {
    "openid": _("知道是同一个人登录"),
    "profile": _("您的姓名"),
    "idno": _("您的公民身份号码"),
    "posts": _("您任职的单位、职务和岗位"),
}


class Adapter(DefaultOIDCAdapter):
    """Only what the person agreed to, and each time an audit event that names the system."""

    scope_display = SCOPES

    def get_issuer(self):
        return settings.ENV.base_url

    def get_claims(self, purpose, user, client, scopes, email=None, **kwargs):
        claims = {"sub": self.get_user_sub(client, user)}
        with as_system(self.request.actor):
            person = user.person
            if "profile" in scopes:
                claims["name"] = person.name
            if "idno" in scopes:
                claims["idno"] = person.idno
            if "posts" in scopes:
                claims["posts"] = _posts(person)
            if purpose == "id_token":
                told = sorted(set(scopes) & SCOPES.keys())
                record(
                    actor_of(user), "account.told", "oidc_client", client.id, system=client.name, scopes=told
                )
        return claims

    def populate_server_metadata(self, data):
        data["scopes_supported"] = list(SCOPES)


def _posts(person) -> list[dict]:
    """Posts held today: office, its region by code, the title and the functions that come with it."""
    today = timezone.localdate()
    held = Post.objects.filter(person=person, since__lte=today).exclude(until__lt=today).select_related("org")
    return [
        {"office": post.org.name, "region": post.org.region_id, "title": post.title, "roles": post.roles}
        for post in held
    ]
