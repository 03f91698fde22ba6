from django.apps import AppConfig


class HubConfig(AppConfig):
    name = "yiwang.engines.hub"
    label = "hub"

    def ready(self):
        from . import handlers  # noqa: F401 (registers the handlers of events)
        from .sharing import limits  # noqa: F401 (the same)
