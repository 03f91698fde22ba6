from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "yiwang.surfaces.api"
    label = "api"
