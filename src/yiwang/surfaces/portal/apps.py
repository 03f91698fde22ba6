from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "yiwang.surfaces.portal"
    label = "portal"
