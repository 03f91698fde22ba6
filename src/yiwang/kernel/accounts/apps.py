from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "yiwang.kernel.accounts"
    label = "accounts"

    def ready(self):
        from . import handlers  # noqa: F401 (connects the sign-in signals)
