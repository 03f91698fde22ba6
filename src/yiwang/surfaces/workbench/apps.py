from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    name = "yiwang.surfaces.workbench"
    label = "workbench"
