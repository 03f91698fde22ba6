"""Filters and tags that every template has."""

import re
from datetime import date, datetime
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yiwang.kernel.packs import api as packs

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
def instant(value: datetime | None) -> str:
    """2026 年 11 月 23 日 14:05, in local time."""
    return date_format(timezone.localtime(value), _("Y 年 n 月 j 日 H:i")) if value else ""


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
def plainly(value):
    """True and False as people say them."""
    return (_("是") if value else _("否")) if isinstance(value, bool) else value


@register.filter
def get(mapping, key):
    """``mapping[key]`` or empty."""
    return mapping.get(key, "") if mapping else ""


@register.filter
def translated(text: str) -> str:
    """A fixed word of a template that came as a variable; it stands in the catalogue of strings elsewhere."""
    return _(text)


@register.filter
def said(text):
    """What packs say, in the reader's language: a pack's translation, or the Chinese marked as Chinese.

    The mark lets a screen reader change its voice (WCAG 3.1.2).
    """
    language = get_language() or ""
    if not text or language.startswith("zh"):
        return text
    found = _phrases(packs.current_release(), language).get(str(text))
    if found is not None:
        return found
    return format_html('<span lang="zh-Hans">{}</span>', text) if _HAN.search(str(text)) else text


_HAN = re.compile(r"[\u3400-\u9fff]")


@lru_cache(maxsize=8)
def _phrases(release: str, language: str) -> dict[str, str]:
    """Every phrase that packs translate into a language."""
    return {
        chinese: other
        for pack in packs.library(release).all("translations")
        if pack.data["language"] == language
        for chinese, other in pack.data["phrases"].items()
    }
