from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "yiwang.engines.cases"
    label = "cases"
