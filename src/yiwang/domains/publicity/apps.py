from django.apps import AppConfig


class PublicityConfig(AppConfig):
    name = "yiwang.domains.publicity"
    label = "publicity"

    def ready(self):
        from . import ending, notices, pushing  # noqa: F401 (registers the handlers of events and the jobs)
