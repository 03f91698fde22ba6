from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "yiwang.kernel.accounts"
    label = "accounts"
