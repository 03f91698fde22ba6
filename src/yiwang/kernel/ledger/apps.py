from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "yiwang.kernel.ledger"
    label = "ledger"

    def ready(self):
        from . import handlers  # noqa: F401 (registers them)
