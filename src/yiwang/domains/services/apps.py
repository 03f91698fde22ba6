from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "yiwang.domains.services"
    label = "services"
