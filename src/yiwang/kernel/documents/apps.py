from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "yiwang.kernel.documents"
    label = "documents"
