from django.apps import AppConfig


class CalendarConfig(AppConfig):
    name = "yiwang.kernel.calendar"
    label = "calendar"
