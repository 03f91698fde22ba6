from django.apps import AppConfig


class HubConfig(AppConfig):
    name = "yiwang.engines.hub"
    label = "hub"
