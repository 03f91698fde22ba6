from django.apps import AppConfig


class RegistersConfig(AppConfig):
    name = "yiwang.kernel.registers"
    label = "registers"
