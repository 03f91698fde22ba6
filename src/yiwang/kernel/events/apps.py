from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "yiwang.kernel.events"
    label = "events"
