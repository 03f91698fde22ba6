from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "yiwang.kernel.files"
    label = "files"
