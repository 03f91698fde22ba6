from django.apps import AppConfig


class CollectionConfig(AppConfig):
    name = "yiwang.domains.collection"
    label = "collection"

    def ready(self):
        from . import handlers  # noqa: F401 (registers the handlers of events)
