from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "yiwang.kernel.audit"
    label = "audit"
