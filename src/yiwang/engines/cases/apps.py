from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "yiwang.engines.cases"
    label = "cases"

    def ready(self):
        from . import handlers  # noqa: F401 (registers the handlers of events)
