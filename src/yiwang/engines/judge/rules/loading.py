"""Fields and policies from the plain data of a pack. Everything wrong is told at once, in Chinese. Pure.

    fields:
      营业收入: {label: 营业收入, type: number, scale: 2, unit: 万元, source: 税务库}
      研发强度: {label: 研发强度, type: number, scale: 4, derive: 研发费用 / 营业收入}
    policy:
      {id: …, name: …, params: {rate: 0.03}, effective: {from: "2026-01-01", to: "2026-12-31"}, hit_policy: ANY,
       rules: [{id: r1, when: {营业收入: {test: ">= 1000", clause: 第三条, hard: false, label: …}}, then: {…}}]}
A condition may be the test's text alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from yiwang.engines.judge.rules import derived, values
from yiwang.engines.judge.rules.cells import Cell, today_of
from yiwang.engines.judge.rules.contracts import (
    HIT_POLICIES,
    TYPES,
    Codes,
    Condition,
    Field,
    Fields,
    NotARule,
    Policy,
    Problem,
    Rule,
)
from yiwang.engines.judge.rules.cuts import children
from yiwang.kernel.feel import FeelSyntaxError, parse_unary
from yiwang.kernel.feel import nodes as n

_NAME = re.compile(r"[^\W\d]\w*\Z")
_FIELD_KEYS = {
    "label",
    "type",
    "scale",
    "digits",
    "unit",
    "source",
    "codes",
    "values",
    "derive",
}


def load_fields(raw: Mapping[str, Any], codes: Mapping[str, Codes] | None = None, where: str = "") -> Fields:
    """The declared fields.

    Args:
        raw: field name to its declaration, see above; `codes` names a code system.
        codes: the code systems by id.
        where: the file, for messages.

    Raises:
        NotARule: with everything that is wrong.
    """
    problems: list[Problem] = []
    found: dict[str, Field] = {}
    for name, given in raw.items():
        place = f"{where}字段「{name}」"
        one = _field(str(name), given, codes or {}, place, problems)
        if one:
            found[one.name] = one
    order = derived.ordered(found, where, problems)
    if problems:
        raise NotARule(problems)
    return Fields(found, order)


def _field(
    name: str, given: Any, codes: Mapping[str, Codes], place: str, problems: list[Problem]
) -> Field | None:
    def wrong(what: str, remedy: str) -> None:
        problems.append(Problem(place, what, remedy))

    before = len(problems)
    if not isinstance(given, Mapping):
        wrong("应是一组属性", "例如 {label: 营业收入, type: number, scale: 2}")
        return None
    if not _NAME.match(name) or name in ("today", "null", "true", "false"):
        wrong("名称不能用", "请用字母、汉字、数字与下划线，不以数字开头，不用 today")
    for key in sorted(set(map(str, given)) - _FIELD_KEYS):
        wrong(f"没有「{key}」这个属性", f"可用的有：{'、'.join(sorted(_FIELD_KEYS))}")
    kind = given.get("type", "number" if given.get("derive") else None)
    if kind not in TYPES:
        wrong(f"类型「{kind}」不能用", f"请从 {'、'.join(TYPES)} 中选一个")
        return None
    scale, digits = given.get("scale", 0), given.get("digits", 18)
    if type(scale) is not int or type(digits) is not int or not 0 <= scale <= digits <= 18 or digits < 1:
        wrong(f"位数 digits {digits}、小数位 scale {scale} 不能用", "请满足 0 ≤ scale ≤ digits ≤ 18")
        return None
    system = codes.get(str(given.get("codes"))) if given.get("codes") else None
    if given.get("codes") and system is None:
        wrong(f"没有代码表「{given['codes']}」", "请改正名称，或先登记这个代码表")
    one = Field(
        name,
        str(given.get("label") or name),
        kind,
        scale if kind == "number" else 0,
        digits,
        str(given.get("unit") or ""),
        str(given.get("source") or ""),
        system,
        (),
        str(given.get("derive") or ""),
    )
    allowed = []
    listed = given.get("values") or []
    if not isinstance(listed, list):
        wrong(f"values 的值 {listed!r} 不是列表", "请写成列表")
        listed = []
    for value in listed:
        try:
            allowed.append(values.read(one, _day(value) if kind == "date" else value))
        except (values.Unusable, ValueError) as error:
            wrong(f"允许值 {value!r} 不能用（{error}）", "请改正或删去")
    if one.derive and kind != "number":
        wrong("派生指标只能是 number 类型", "请把类型改为 number，是否类指标用 1 与 0")
    if len(problems) > before:
        return None
    return Field(**{**one.__dict__, "values": tuple(allowed)})


def _day(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) else value


def load_policy(
    raw: Mapping[str, Any], fields: Fields, as_of: date | None = None, where: str = "", cells: Any = None
) -> Policy:
    """A policy from the data of a pack.

    Args:
        raw: see above.
        fields: what rules may read.
        as_of: the day that `today` in a cell stands for; without it a cell must not read `today`.
        where: file and line, for messages.
        cells: a dict to share parsed cells between policies of one loading; None parses anew.

    Raises:
        NotARule: with everything that is wrong: place, value, remedy.
    """
    problems: list[Problem] = []
    if not isinstance(raw, Mapping):
        raise NotARule([Problem(where or "政策", "不是一组属性", "请写 id、name、rules")])
    cells = {} if cells is None else cells
    name = str(raw.get("name") or raw.get("id") or "")
    place = f"{where}政策「{name}」"
    if not raw.get("id"):
        problems.append(Problem(place, "没有 id", "请给它一个不变的 id"))
    hit_policy = str(raw.get("hit_policy", "ANY"))
    if hit_policy not in HIT_POLICIES:
        problems.append(
            Problem(place, f"命中方式「{hit_policy}」不能用", f"请从 {'、'.join(HIT_POLICIES)} 中选一个")
        )
    start, end = _period(_mapping(raw, "effective", place, problems), place, problems)
    params = {str(k): v for k, v in _mapping(raw, "params", place, problems).items()}
    for key in params:
        if key in fields or key == "today":
            problems.append(Problem(place, f"参数「{key}」与字段同名", "请给参数换一个名称"))
    constants = today_of(as_of, params)
    given = raw.get("rules")
    if not isinstance(given, list) or not given:
        problems.append(Problem(place, "没有规则", "请在 rules 下至少写一条规则"))
        given = []
    exclusions = raw.get("exclusions") or []
    if not isinstance(exclusions, (list, tuple)):
        problems.append(Problem(place, f"exclusions 的值 {exclusions!r} 不是列表", "请写成列表"))
        exclusions = []
    rules = []
    seen: set[str] = set()
    for number, one in enumerate(given, 1):
        if not isinstance(one, Mapping):
            problems.append(Problem(place, f"第 {number} 条规则不是一组属性", "请写 id、when、then"))
            continue
        rule = _rule(one, number, fields, constants, place, problems, cells)
        if rule.id in seen:
            problems.append(Problem(place, f"规则 id「{rule.id}」重复", "请给每条规则不同的 id"))
        seen.add(rule.id)
        rules.append(rule)
    if problems:
        raise NotARule(problems)
    return Policy(
        str(raw["id"]),
        name,
        tuple(rules),
        hit_policy,
        start,
        end,
        tuple(exclusions),
        raw.get("benefit"),
    )


def _date(value: Any) -> date | None:
    day = _day(value)
    if day is not None and type(day) is not date:
        raise ValueError(value)
    return day


def _mapping(raw: Mapping[str, Any], key: str, place: str, problems: list[Problem]) -> Mapping[str, Any]:
    given = raw.get(key) or {}
    if isinstance(given, Mapping):
        return given
    problems.append(Problem(place, f"{key} 的值 {given!r} 不是一组属性", "请写成 名称: 值"))
    return {}


def _period(given: Mapping[str, Any], place: str, problems: list[Problem]) -> tuple[Any, Any]:
    found: list[date | None] = []
    for key in ("from", "to"):
        value = given.get(key)
        try:
            found.append(_date(value))
        except ValueError:
            problems.append(Problem(place, f"期限 {key} 的值「{value}」不是日期", "请写成 2026-01-31"))
            found.append(None)
    start, end = found
    if start and end and end < start:
        problems.append(Problem(place, f"期限在开始之前就结束了（{start} 至 {end}）", "请改正起止日期"))
    return start, end


def _rule(
    given: Mapping[str, Any],
    number: int,
    fields: Fields,
    constants: Mapping[str, Any],
    place: str,
    problems: list[Problem],
    cells: dict[Any, Cell],
) -> Rule:
    id_ = str(given.get("id") or number)
    conditions = []
    for name, raw in _mapping(given, "when", f"{place}规则「{id_}」", problems).items():
        at = f"{place}规则「{id_}」的「{name}」"
        condition = raw if isinstance(raw, Mapping) else {"test": raw}
        if not isinstance(name, str) or name not in fields:
            near = get_close_matches(str(name), fields.by_name, 1)
            remedy = f"是不是「{near[0]}」？" if near else "请先登记这个字段，或改正名称"
            problems.append(Problem(at, "没有登记这个字段", remedy))
            continue
        cell = _cell(fields, fields[name], condition.get("test"), constants, at, problems, cells)
        if cell:
            conditions.append(
                Condition(
                    fields[name],
                    cell,
                    str(condition.get("clause") or ""),
                    bool(condition.get("hard", False)),
                    str(condition.get("label") or ""),
                )
            )
    return Rule(id_, tuple(conditions), dict(_mapping(given, "then", f"{place}规则「{id_}」", problems)))


def _cell(
    fields: Fields,
    field: Field,
    raw: Any,
    constants: Mapping[str, Any],
    at: str,
    problems: list[Problem],
    cells: dict[Any, Cell],
) -> Cell | None:
    text = _text(raw)
    if text is None:
        problems.append(Problem(at, f"值 {raw!r} 不是条件", '请写成文字，例如 ">= 1000"'))
        return None
    shared = (field.name, text, repr(sorted(constants.items(), key=lambda item: item[0])))
    known = cells.get(shared)
    if known:
        return known
    try:
        tests = parse_unary(text, names=())
    except FeelSyntaxError as error:
        problems.append(Problem(at, f"「{text}」写错了：{error}", "请按提示的位置改正"))
        return None
    before = len(problems)
    for name in sorted(tests.paths):
        if name not in fields and name not in constants:
            if name == "today":
                problems.append(Problem(at, "读取了 today，却没有给出判断日", "请给出判断日"))
            else:
                remedy = f'文本请加引号：写成 "{name}"；若是字段，请先登记'
                problems.append(Problem(at, f"「{text}」读取了没有登记的「{name}」", remedy))
    if field.codes:
        _known_codes(field.codes, tests.tests or (), at, problems)
    if len(problems) > before:
        return None
    cell = Cell(field, tests, constants)
    cells[shared] = cell
    return cell


def _text(raw: Any) -> str | None:
    if isinstance(raw, str):
        return raw
    if type(raw) is bool:
        return "true" if raw else "false"
    if isinstance(raw, (int, Decimal)):
        return str(raw)
    return None


def _known_codes(codes: Codes, nodes: tuple[n.Node, ...], at: str, problems: list[Problem]) -> None:
    for node in nodes:
        if isinstance(node, n.Literal) and isinstance(node.value, str):
            if not codes.covers(node.value):
                near = get_close_matches(node.value, codes.ordered, 1)
                remedy = f"是不是 {near[0]}（{codes.names[near[0]]}）？" if near else "请查对代码表"
                what = f"代码「{node.value}」不在代码表「{codes.id}」中，或已经停用"
                problems.append(Problem(at, what, remedy))
        else:
            _known_codes(codes, tuple(children(node)), at, problems)
