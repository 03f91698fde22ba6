"""One value as people type it."""

from __future__ import annotations

from typing import Any

import pytest

from yiwang.engines.cases import forms

from .world import LIBRARY, MOTHER

PLAN = forms.plan(LIBRARY, "sd.newborn", {"married": True, "insured_maternity": True}, False)


@pytest.mark.parametrize(
    ("path", "raw", "value"),
    [
        ("mother.idno", f" {MOTHER[:6]} {MOTHER[6:14]} {MOTHER[14:]} ", MOTHER),
        ("mother.idno", "".join(chr(ord(c) + 0xFEE0) for c in MOTHER), MOTHER),
        ("father.idno", "11010519491231002x", "11010519491231002X"),
        ("father.idno", "371202198506151012", "371202198506151012"),  # a region abolished in 2019
        ("father.phone", "+86 139-0000-0000", "13900000000"),
        ("mother.births", "２", 2),
        ("child.name", " 王小满 ", "王小满"),
        ("child.name", "阿依古丽·买买提", "阿依古丽·买买提"),
        ("child.name", "王\U000323af", "王\U000323af"),  # Unicode 15, newer than this Python
        ("mother.marriage_date", "2015/05/20", "2015-05-20"),
        ("child.birth_time", "2026-11-20T08:30", "2026-11-20T08:30:00"),
        ("service.delivery", "邮寄送达", "邮寄送达"),
        ("child.name", "   ", None),
    ],
)
def test_what_is_right_is_tidied(path: str, raw: str, value: Any) -> None:
    assert forms.validate(PLAN, path, raw) == (value, None)


@pytest.mark.parametrize(
    ("path", "raw", "message"),
    [
        (
            "mother.idno",
            "370102199003070121",
            "母亲的公民身份号码 “370102199003070121” 的校验位不对：末位应为 0，请核对",
        ),
        ("mother.idno", "37010219900307012", "应为 18 位，现为 17 位"),
        ("mother.idno", "370102199002300120", "19900230 不是真实的日期"),
        ("mother.idno", "37010219900307O120", "只能由数字组成"),
        ("father.phone", "12345678901", "不是 11 位手机号"),
        ("mother.births", "99", "不能大于 15"),
        ("mother.births", "两个", "只填数字"),
        ("mother.marriage_date", "2015-02-30", "不是有效的日期"),
        ("mother.bank_account", "6222", "12 至 30 位数字"),
        ("child.ethnic", "999", "不在可选范围内"),
        ("child.name", "王", "至少 2 个字"),
        ("child.name", "王\x07满", "不能显示的字符（U+0007）"),
        ("mother.hukou_region", "济南", "从列表中选择"),
    ],
)
def test_what_is_wrong_is_kept_as_typed_and_told(path: str, raw: str, message: str) -> None:
    value, error = forms.validate(PLAN, path, raw)
    assert value == raw
    assert error is not None
    assert error.message.startswith(PLAN.field(path).label)
    assert message in error.message


def test_the_child_has_the_ethnicity_of_a_parent() -> None:
    field = PLAN.field("child.ethnic")
    allowed = forms.choices(PLAN, field, {"mother.ethnic": "01", "father.ethnic": "03"})
    assert [code for code, _ in allowed] == ["03", "01"]
    assert forms.clean(field, "02", allowed)[1] is not None
