"""Signing in: with a local account, through the identity provider, in demo mode from a list; and other systems' users."""

from urllib.parse import urlparse

from allauth.account.views import LoginView
from allauth.idp.oidc.models import Client
from allauth.idp.oidc.views import AuthorizationView
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.http import Http404
from requests import RequestException

from yiwang.kernel.accounts.oidc.signing_in import unreachable
from yiwang.kernel.ui.middleware import POLICY

from .screens import demo_list


class SignIn(LoginView):
    """The sign-in page: django-allauth's, with what else this installation offers."""

    template_name = "portal/login.html"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context["demo_users"] = demo_list(self.request.actor)
        context["next"] = self.request.GET.get("next", "/")
        context["provider"] = settings.ENV.oidc_label if settings.ENV.oidc_url else ""
        return context


def sign_in(request, provider_id):
    """Off to the identity provider, or a page that says it cannot be reached."""
    try:
        return openid_connect.login(request, provider_id)
    except (RequestException, ValueError, KeyError):  # no answer, or not one of OpenID Connect
        return unreachable(request)


def came_back(request, provider_id):
    """Back from the identity provider."""
    try:
        return openid_connect.callback(request, provider_id)
    except (RequestException, ValueError, KeyError):
        return unreachable(request)


class Authorise(AuthorizationView):
    """A department's system asks who this is; the person sees what it would learn, and agrees or not."""

    template_name = "portal/authorise.html"

    def dispatch(self, request, *args, **kwargs):
        if not settings.ENV.oidc_key:
            raise Http404
        response = super().dispatch(request, *args, **kwargs)
        client = Client.objects.filter(id=request.GET.get("client_id", "")).first()
        if client is not None:  # the answer to the form leads to the other system
            back = {"{0.scheme}://{0.netloc}".format(urlparse(uri)) for uri in client.get_redirect_uris()}
            allowed = " ".join(["form-action 'self'", *sorted(back)])
            response["Content-Security-Policy"] = POLICY.replace("form-action 'self'", allowed)
        return response


authorise = Authorise.as_view()
