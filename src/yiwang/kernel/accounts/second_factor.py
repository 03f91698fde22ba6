"""Second factors: an authenticator app and recovery codes, by django-allauth; officials must have one."""

import base64
from io import BytesIO

import segno
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _

HAS_ONE = "second_factor"
"""Key of the web session: this account has a second factor, so it was asked for at sign-in."""


class Adapter(DefaultMFAAdapter):
    """Secrets lie encrypted in the database; QR codes by the library we have."""

    def get_totp_issuer(self) -> str:
        return "yiwang"

    def build_totp_svg(self, url: str) -> str:
        out = BytesIO()
        segno.make(url, error="m").save(out, kind="svg", scale=4, border=2, xmldecl=False)
        return out.getvalue().decode()

    def encrypt(self, text: str) -> str:
        return self._box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return self._box().decrypt(encrypted_text.encode()).decode()

    def _box(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(bytes.fromhex(settings.SECOND_FACTOR_KEY)))


class StaffNeedSecondFactor:
    """An official without a second factor gets no further than setting one up, where the setting asks for it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if settings.ENV.staff_mfa and request.actor.is_staff and not request.path.startswith("/accounts/"):
            if not request.session.get(HAS_ONE):
                if not is_mfa_enabled(request.user):
                    messages.warning(request, _("工作人员账号须先设置两步验证，再开始工作。"))
                    return redirect("mfa_activate_totp")
                request.session[HAS_ONE] = True
        return self.get_response(request)
