"""The outside identity provider, as django-allauth finds it (it looks for this module name)."""

from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider, _pick_data
from django.conf import settings


class RealNameProvider(OpenIDConnectProvider):
    """Takes from the provider who somebody is, and keeps none of it but the subject's identifier."""

    def get_default_scope(self):
        return settings.ENV.oidc_scopes

    def extract_extra_data(self, data):
        return {}

    def extract_common_fields(self, data):
        claims = _pick_data(data)
        return {"name": claims.get("name"), "idno": claims.get(settings.ENV.oidc_idno_claim)}

    def extract_email_addresses(self, data):
        return []


provider_classes = [RealNameProvider]
