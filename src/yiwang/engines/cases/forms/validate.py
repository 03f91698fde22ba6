"""One value as it is typed: made tidy, then checked. A refusal names the field, the value and the remedy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from yiwang.engines.cases.forms.contracts import FieldError, FormField, FormPlan
from yiwang.engines.cases.forms.functions import birth_of, idno_check_digit
from yiwang.engines.cases.forms.uscc import uscc_trouble

Options = tuple[tuple[str, str], ...]


def validate(plan: FormPlan, path: str, raw: str) -> tuple[Any, FieldError | None]:
    """Check one field of a plan as typed.

    Returns:
        the tidy value (kept as typed when it is wrong) and the error, or None.
    """
    field = plan.field(path)
    return clean(field, raw, field.options)


def clean(field: FormField, raw: str, options: Options) -> tuple[Any, FieldError | None]:
    """Tidy and check a value of ``field``; ``options`` are those that apply now."""
    as_written = field.type in ("string", "address", "code")
    text = raw.strip() if as_written else unicodedata.normalize("NFKC", raw).strip()
    if not text:
        return None, None
    value, wrong = _CHECKS.get(field.type, _text)(field, text)
    if wrong is None and options and str(value) not in {v for v, _ in options}:
        wrong = f"不在可选范围内，请从 {'、'.join(label for _, label in options[:8])} 中选择"
    if wrong is None and field.pattern and not re.fullmatch(field.pattern, str(value)):
        wrong = f"格式不对{'：' + field.hint if field.hint else ''}，请核对后重填"
    if wrong is None:
        return value, None
    return raw.strip(), FieldError(
        field.path, field.label, raw, f"{field.label} {_shown(field, raw)} {wrong}"
    )


def _shown(field: FormField, raw: str) -> str:
    text = raw.strip()
    return f"“{text[:40]}”"


def _text(field: FormField, text: str) -> tuple[Any, str | None]:
    if field.max is not None and len(text) > field.max:
        return text, f"太长：有 {len(text)} 个字，最多 {field.max} 个"
    if field.min is not None and len(text) < field.min:
        return text, f"太短：至少 {field.min} 个字"
    bad = [c for c in text if not _printable(c)]
    if bad:
        return text, f"含有不能显示的字符（U+{ord(bad[0]):04X}），请改用规范汉字"
    return text, None


def _printable(character: str) -> bool:
    """No control or private characters; rare Chinese characters newer than this Python are welcome."""
    category = unicodedata.category(character)
    return category not in ("Cc", "Cn", "Co", "Cs") or (
        category == "Cn" and 0x20000 <= ord(character) < 0x40000
    )


def _idno(field: FormField, text: str) -> tuple[Any, str | None]:
    """GB 11643-1999. The region code is the one of first issue, so any six digits are taken."""
    number = text.replace(" ", "").upper()
    if len(number) != 18:
        return text, f"应为 18 位，现为 {len(number)} 位，请核对后重填"
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return text, "只能由数字组成，末位可以是 X，请核对后重填"
    if birth_of(number) is None:
        return text, f"的第 7 至 14 位 {number[6:14]} 不是真实的日期，请核对后重填"
    expected = idno_check_digit(number[:17])
    if number[17] != expected:
        return text, f"的校验位不对：末位应为 {expected}，请核对后重填"
    return number, None


def _uscc(field: FormField, text: str) -> tuple[Any, str | None]:
    code = text.replace(" ", "").upper()
    wrong = uscc_trouble(code)
    return (text, wrong) if wrong else (code, None)


def _phone(field: FormField, text: str) -> tuple[Any, str | None]:
    number = re.sub(r"[\s-]", "", text).removeprefix("+86")
    return (
        (number, None)
        if re.fullmatch(r"1[3-9][0-9]{9}", number)
        else (text, "不是 11 位手机号，请核对后重填")
    )


def _int(field: FormField, text: str) -> tuple[Any, str | None]:
    if not re.fullmatch(r"-?[0-9]{1,12}", text):
        return text, "应为整数，请只填数字"
    number = int(text)
    if field.min is not None and number < field.min:
        return text, f"太小：不能小于 {field.min}"
    if field.max is not None and number > field.max:
        return text, f"太大：不能大于 {field.max}"
    return number, None


def _decimal(field: FormField, text: str) -> tuple[Any, str | None]:
    """A number with up to four places, kept as text without needless zeros: 33.30 becomes 33.3."""
    if not re.fullmatch(r"-?[0-9]{1,12}([.][0-9]{1,4})?", text):
        return text, "应为数字，小数最多四位，例如 33.33"
    number = Decimal(text)
    if field.min is not None and number < field.min:
        return text, f"太小：不能小于 {field.min}"
    if field.max is not None and number > field.max:
        return text, f"太大：不能大于 {field.max}"
    whole = number == number.to_integral_value()
    return str(int(number)) if whole else str(number.normalize()), None


def _date(field: FormField, text: str) -> tuple[Any, str | None]:
    try:
        return date.fromisoformat(text.replace("/", "-").replace(".", "-")).isoformat(), None
    except ValueError:
        return text, "不是有效的日期，请写成 2026-03-05 的样子"


def _datetime(field: FormField, text: str) -> tuple[Any, str | None]:
    try:
        return datetime.fromisoformat(text.replace("/", "-")).isoformat(timespec="seconds"), None
    except ValueError:
        return text, "不是有效的时间，请写成 2026-03-05T08:30 的样子"


def _account(field: FormField, text: str) -> tuple[Any, str | None]:
    number = re.sub(r"\s", "", text)
    return (
        (number, None)
        if re.fullmatch(r"[0-9]{12,30}", number)
        else (text, "应为 12 至 30 位数字，请核对银行卡")
    )


def _region(field: FormField, text: str) -> tuple[Any, str | None]:
    return (text, None) if re.fullmatch(r"[0-9]{6,12}", text) else (text, "不是区划代码，请从列表中选择")


_CHECKS: Mapping[str, Any] = {
    "idno": _idno,
    "uscc": _uscc,
    "phone": _phone,
    "int": _int,
    "decimal": _decimal,
    "date": _date,
    "datetime": _datetime,
    "bank_account": _account,
    "region": _region,
}
