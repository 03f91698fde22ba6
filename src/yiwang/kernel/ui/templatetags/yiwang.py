"""Filters and tags that every template has."""

from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def day(value: datetime | date | None) -> str:
    """2026 年 11 月 23 日, in local time."""
    if value is None:
        return ""
    moment = timezone.localtime(value) if isinstance(value, datetime) else value
    return date_format(moment, _("Y 年 n 月 j 日"))


@register.filter
def moment(value: datetime | None) -> str:
    """11 月 23 日 14:05, in local time."""
    return date_format(timezone.localtime(value), _("n 月 j 日 H:i")) if value else ""


@register.filter
def masked(idno: str) -> str:
    """An ID number with its birthday and serial hidden."""
    return f"{idno[:6]}{'*' * 8}{idno[-4:]}" if len(idno) == 18 else "****"


@register.filter
def hexed(value) -> str:
    """Bytes in hexadecimal."""
    return bytes(value).hex()


@register.filter
def percent(value) -> str:
    """0.874 → 87%; a dash where there is nothing to divide."""
    return "—" if value is None else f"{value:.0%}"


@register.filter
def get(mapping, key):
    """``mapping[key]`` or empty."""
    return mapping.get(key, "") if mapping else ""
