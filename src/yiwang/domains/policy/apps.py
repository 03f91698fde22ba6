from django.apps import AppConfig


class PolicyConfig(AppConfig):
    name = "yiwang.domains.policy"
    label = "policy"

    def ready(self):
        from . import handlers  # noqa: F401 (registers the handlers of events)
