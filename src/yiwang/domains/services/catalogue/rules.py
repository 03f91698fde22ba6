"""What makes a row good enough for a guide page, and what it still lacks to be published. Pure.

Good: a name, a known type, a department and a well-formed code. Everything else may come later: the guide
page says what is missing. A cell that cannot be right is left out and told, and the row goes on without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from . import codes
from .contracts import IDENTITY, Cells, Finding, Grade, Need, Row, Standard

BLANK = frozenset({"", "/", "-", "--", "—", "——", "空", "暂无", "待补充", "null", "NULL", "N/A"})
LEVELS = ("国家级", "省级", "市级", "县级", "乡级")
FORMS = ("即办件", "承诺件")
_NAME = re.compile(r"[\u3400-\u9fff].*[\u3400-\u9fff]", re.DOTALL)
_BASE = re.compile(r"[0-9A-Z][0-9A-Z-]{3,59}")
_REGION = re.compile(r"[1-8][0-9]{5}([0-9]{3}){0,2}")
_LONGEST_NAME, _LONGEST_CELL = 200, 20000
_LIMIT = re.compile(r"(\d{1,4})\s*个?\s*(工作日|自然日|日|天|小时|个?月)(?:内)?")
_AT_ONCE = ("当场", "即时", "0", "当场办结", "即时办结", "即办")
_VISITS = re.compile(r"[0-9]次?|不超过[0-9]次")


def judge(cells: Cells, standard: Standard) -> tuple[Row | None, list[Finding]]:
    """A row of the file against the standard.

    Returns:
        the row, or None when it is refused; and what was found, cell by cell.
    """
    values = {k: v for k, v in cells.values.items() if v not in BLANK}
    findings = [*cells.findings]

    def tell(key: str, what: str, remedy: str, grade: Grade) -> None:
        findings.append(
            Finding(cells.row, standard.get(key).name, values.get(key, "")[:60], what, remedy, grade)
        )

    for element in standard.needed(Need.ROW):
        if element.key not in values:
            tell(element.key, "是空的", element.remedy, Grade.REFUSED)
    name, type_, department = (values.get(k, "") for k in ("name", "type", "department"))
    if name and not (_NAME.search(name) and len(name) <= _LONGEST_NAME):
        tell("name", "不像事项名称", f"写两个以上汉字，不超过 {_LONGEST_NAME} 字", Grade.REFUSED)
    if department and not (_NAME.search(department) and len(department) <= _LONGEST_NAME):
        tell("department", "不像部门名称", "写实施主体的全称，如 某某区民政局", Grade.REFUSED)
    known = standard.types.get(type_.zfill(2), type_)
    if type_ and known not in standard.types.values():
        tell(
            "type", "不是规定的事项类型", f"改成其中之一：{'、'.join(standard.types.values())}", Grade.REFUSED
        )
    code = None
    if "code" in values:
        code, wrong = codes.read(values["code"])
        if code is None:
            tell("code", wrong, "从事项管理系统重新导出编码，不要手改", Grade.REFUSED)
    if code is None or any(f.grade is Grade.REFUSED for f in findings):
        return None, findings
    for doubt in code.doubts:
        tell("code", f"：{doubt}", "核对编码，这一行照收", Grade.NOTICE)
    region = values["region"][:6] if _REGION.fullmatch(values.get("region", "")) else code.region
    values = {"base_code": code.base, "level": codes.level_of(region), **values}
    for key, what, remedy in unsound({k: v for k, v in values.items() if v}):
        tell(key, f"{what}，没有收这一格", remedy, Grade.MISSING)
        values.pop(key)
    values = {k: v for k, v in values.items() if v}
    for element in standard.needed(Need.PUBLISH):
        if element.key not in values and not any(f.column == element.name for f in findings):
            tell(element.key, "是空的", element.remedy, Grade.MISSING)
    elements = {k: v for k, v in values.items() if k not in IDENTITY}
    base = values.get("base_code", "")
    return Row(cells.row, code.text, base, name, known, department, region, elements), findings


def unsound(values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Elements whose values cannot be right, as (key, what, remedy)."""
    if "base_code" in values and not _BASE.fullmatch(values["base_code"]):
        yield "base_code", "不是基本编码", "写基本目录里的编码，只有数字、字母和连字符"
    if values.get("level", LEVELS[0]) not in LEVELS:
        yield "level", "不是行使层级", f"改成其中之一：{'、'.join(LEVELS)}"
    if values.get("form", FORMS[0]) not in FORMS:
        yield "form", "不是办件类型", f"改成其中之一：{'、'.join(FORMS)}"
    limits = {}
    for key in ("legal_limit", "promised_limit"):
        if key in values:
            limits[key] = limit(values[key])
            if limits[key] is None:
                yield key, "看不出是多少", "写数和单位，如 20个工作日，或 当场"
    legal, promised = limits.get("legal_limit"), limits.get("promised_limit")
    if legal and promised and promised[0] > legal[0] and legal[1] == promised[1]:
        yield "promised_limit", f"长于法定的{values['legal_limit']}", "承诺时限改为不长于法定时限"
    if "visits" in values and not _VISITS.fullmatch(values["visits"]):
        yield "visits", "不是次数", "写数字，如 0 或 1"
    for key, value in values.items():
        if len(value) > _LONGEST_CELL:
            yield key, f"有 {len(value)} 字，太长", "检查引号是否成对，或删去无关内容"


def limit(text: str) -> tuple[int, str] | None:
    """A time limit as number and unit; None when it cannot be read."""
    if text in _AT_ONCE:
        return 0, "工作日"
    found = _LIMIT.fullmatch(text)
    if not found:
        return None
    unit = {"日": "自然日", "天": "自然日", "个月": "月"}.get(found[2], found[2])
    return int(found[1]), unit


def missing(keys: Mapping[str, str], standard: Standard) -> tuple[str, ...]:
    """Names of the elements that a stored item lacks to be published."""
    return tuple(e.name for e in standard.needed(Need.PUBLISH) if e.key not in keys)
