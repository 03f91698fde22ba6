from django.apps import AppConfig


class EnterpriseConfig(AppConfig):
    name = "yiwang.domains.enterprise"
    label = "enterprise"

    def ready(self):
        from . import handlers, repairing  # noqa: F401 (register the handlers of events and the daily run)
