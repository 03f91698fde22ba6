from django.apps import AppConfig


class EnterpriseConfig(AppConfig):
    name = "yiwang.domains.enterprise"
    label = "enterprise"

    def ready(self):
        from . import handlers  # noqa: F401 (registers the handlers of events and the daily run)
