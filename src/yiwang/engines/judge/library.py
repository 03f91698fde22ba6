"""Policies and fields as packs: from the data of a library to rule tables, and everything wrong in them. Pure.

A policy's region and subjects become conditions of every rule; `rules` of the pack are alternatives, each with the
common conditions before it. The amount is one expression of the subset of derived features, so that one enterprise
and the whole province get the same figure: `amount_field` names its feature.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from yiwang.engines.judge.analysis import analyse
from yiwang.engines.judge.rules import (
    Codes,
    Fields,
    Judge,
    NotARule,
    Policy,
    Status,
    load_fields,
    load_policy,
)
from yiwang.engines.judge.rules.derived import filled
from yiwang.kernel.feel import FeelSyntaxError, parse_unary
from yiwang.kernel.packs.contracts import Library, Pack, Problem

_OWN = ("ask", "help", "from")  # keys of a field that the rule engine does not know
_SAYS = {Status.ENTITLED: "符合", Status.MISSING: "缺资料", Status.NOT: "不符合"}


@dataclass(frozen=True)
class Frame:
    """The declared fields of a library, and which of them bound a policy's region and subjects."""

    raw: Mapping[str, Mapping[str, Any]]
    codes: Mapping[str, Codes]
    region: str
    subject: str
    name: str
    register: str
    axes: tuple[tuple[str, int], ...]

    @cached_property
    def fields(self) -> Fields:
        return self.with_amounts({})

    def with_amounts(self, amounts: Mapping[str, str]) -> Fields:
        """The fields, and one derived field in yuan with 2 decimals for each amount by name.

        Raises:
            NotARule: with what is wrong in a declaration or an amount.
        """
        declared = {n: {k: v for k, v in f.items() if k not in _OWN} for n, f in self.raw.items()}
        priced = {n: {"label": "金额", "scale": 2, "derive": text} for n, text in amounts.items()}
        return load_fields({**declared, **priced}, self.codes)

    def asked(self, name: str) -> bool:
        """Whether an enterprise may state this field itself."""
        return bool(self.raw[name].get("ask"))

    def fed(self, dataset: str) -> dict[str, Mapping[str, Any]]:
        """The fields that come from a dataset, each with its `from`."""
        return {n: f["from"] for n, f in self.raw.items() if f.get("from", {}).get("dataset") == dataset}


def frame(library: Library, regions: Mapping[str, str]) -> Frame | None:
    """The fields of a library, or None when it declares none; ``regions``: code to name."""
    packs = library.all("judge_fields")
    if not packs:
        return None
    raw: dict[str, Any] = {}
    for pack in packs:
        raw.update(pack.data["fields"])
    codes = {"regions": Codes("regions", regions)}
    for used in {f["codes"] for f in raw.values() if f.get("codes")} - {"regions"}:
        found = library.find("codelist", used)
        if found:
            codes[used] = Codes(used, {c["code"]: c["name"] for c in found.data["codes"]})
    said = packs[0].data
    axes = tuple((a["field"], a["prefix"]) for a in said["axes"])
    return Frame(
        raw, codes, said["region_field"], said["subject_field"], said["name_field"], said["register"], axes
    )


def prefix(region: str) -> str:
    """The beginning that codes of a division share: 370000 → 37, 370100 → 3701."""
    return region[:2] if region.endswith("0000") else region[:4] if region.endswith("00") else region


def amount_field(policy_id: str) -> str:
    """The name of the derived field that holds what a policy gives."""
    return "金额_" + policy_id.replace(".", "_")


def exact(value: Any) -> Any:
    """Numbers of a pack as decimals: what is written counts, not its nearest float."""
    return Decimal(str(value)) if isinstance(value, float) else value


def implied(data: Mapping[str, Any], frame: Frame) -> list[dict[str, Any]]:
    """The conditions that follow from a policy's issuer and subjects."""
    region = data["issuer"]["region"]
    name = frame.codes["regions"].names.get(region, region)
    subjects = ", ".join(f'"{s}"' for s in data["subjects"])
    return [
        {
            "field": frame.region,
            "test": f'starts with(?, "{prefix(region)}")',
            "text": f"注册在{name}",
            "clause": "适用地域",
            "hard": True,
        },
        {
            "field": frame.subject,
            "test": subjects,
            "text": f"属于{'或'.join(data['subjects'])}",
            "clause": "适用对象",
            "hard": True,
        },
    ]


def conditions(data: Mapping[str, Any], frame: Frame) -> dict[str, list[dict[str, Any]]]:
    """Every rule's conditions in order, by the rule's id."""
    common = [*implied(data, frame), *data["conditions"]]
    rules = data.get("rules") or [{"id": "all", "conditions": []}]
    return {r["id"]: [*common, *r["conditions"]] for r in rules}


def table(data: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """A policy pack as the plain data that ``load_policy`` reads."""
    rules = [
        {
            "id": id_,
            "when": {c["field"]: {k: c[k] for k in ("test", "clause", "hard") if k in c} for c in given},
        }
        for id_, given in conditions(data, frame).items()
    ]
    return {
        "id": data["id"],
        "name": data["name"],
        "hit_policy": "COLLECT" if len(rules) > 1 else "ANY",
        "effective": dict(data["effective"]),
        "params": {k: exact(v) for k, v in data.get("params", {}).items()},
        "rules": rules,
        "exclusions": [e["with"] for e in data.get("exclusive", ())],
        "benefit": data["benefit"]["amount"],
    }


def load(data: Mapping[str, Any], frame: Frame, as_of: date) -> Policy:
    """The rule table of a policy pack. Raises NotARule with everything that is wrong."""
    return load_policy(table(data, frame), frame.fields, as_of)


def lint(library: Library, regions: Mapping[str, str], only: str = "") -> Iterator[Problem]:
    """Everything wrong in the policies and fields of a library, beyond their schemas; with `only`, in one policy."""
    packs = [p for p in library.all("policy") if only in ("", p.id)]
    try:
        found = frame(library, regions)
        if found:
            _ = found.fields
    except NotARule as error:
        first = library.all("judge_fields")[0]
        yield from (
            first.problem(("fields",), f"{p.where}：{p.what}", p.remedy, "L1") for p in error.problems
        )
        return
    if found is None:
        yield from (p.problem((), "政策要读字段，却没有 judge_fields 包", "先登记字段", "L1") for p in packs)
        return
    if not only:
        yield from _feeds(library)
    functions = {f for pack in library.all("organisations") for f in pack.data["functions"]}
    ids = {p.id for p in library.all("policy")}
    for pack in packs:
        yield from _names(pack, ids, functions, regions)
        yield from _rules(pack, found)


def _feeds(library: Library) -> Iterator[Problem]:
    """Fields that come from a dataset: whether it has such a field, and the test is one."""
    for pack in library.all("judge_fields"):
        for name, field in pack.data["fields"].items():
            said, path = field.get("from"), ("fields", name, "from")
            if not said:
                continue
            dataset = library.find("dataset", said["dataset"])
            if dataset is None:
                yield pack.problem(
                    path, f"没有数据集 {said['dataset']}", "改正名称，或先登记这个数据集", "L1"
                )
                continue
            there = dataset.data["fields"]
            for one in (said["field"], *said.get("where", {})):
                if one not in there:
                    near = "、".join(there)
                    yield pack.problem(
                        path, f"数据集 {dataset.id} 没有字段 {one}", f"改成其中之一：{near}", "L1"
                    )
            if field.get("derive"):
                yield pack.problem(path, f"「{name}」既派生又取自数据集", "只留一种", "L1")
            try:
                parse_unary(said.get("test", "-"))
            except FeelSyntaxError as error:
                yield pack.problem(path, f"「{said['test']}」写错了：{error}", "请按提示的位置改正", "L1")


def _names(pack: Pack, ids: set[str], functions: set[str], regions: Mapping[str, str]) -> Iterator[Problem]:
    data = pack.data
    if functions and data["issuer"]["function"] not in functions:
        what = f"没有「{data['issuer']['function']}」这个职能"
        yield pack.problem(
            ("issuer", "function"), what, f"改成其中之一：{'、'.join(sorted(functions))}", "L1"
        )
    if regions and data["issuer"]["region"] not in regions:
        what = f"区划代码 {data['issuer']['region']} 不存在"
        yield pack.problem(("issuer", "region"), what, "改成现行的六位代码", "L1")
    for n, one in enumerate(data.get("exclusive", ())):
        if one["with"] not in ids or one["with"] == pack.id:
            what = f"互斥的政策 {one['with']} 不存在，或就是它自己"
            yield pack.problem(("exclusive", n, "with"), what, "改成另一项政策的 id，或删去这一行", "L1")
    start, end = data["effective"]["from"], data["effective"].get("to")
    for key, value in data["effective"].items():
        try:
            date.fromisoformat(value)
        except ValueError:
            yield pack.problem(("effective", key), f"日期「{value}」不存在", "改成日历上有的日期")
            return
    if end and end < start:
        yield pack.problem(("effective", "to"), f"期限 {start} 至 {end}，还没开始就结束了", "改正起止日期")


def _rules(pack: Pack, frame: Frame) -> Iterator[Problem]:
    data = pack.data
    try:
        as_of = date.fromisoformat(data["effective"]["from"])
    except ValueError:
        return
    twice = False
    for where, cells in _lists(data):
        seen = {c["field"] for c in ([] if where == ("conditions",) else data["conditions"])}
        seen |= {frame.region, frame.subject}
        for n, cell in enumerate(cells):
            if cell["field"] in seen:
                twice = True
                what = (
                    f"字段「{cell['field']}」在同一种情形里写了两个条件（地域和对象由 issuer、subjects 定）"
                )
                yield pack.problem((*where, n), what, '合成一格，例如 ">= 1 and <= 9" 写成 "[1..9]"', "L1")
            seen.add(cell["field"])
    if twice:
        return
    try:
        policy = load_policy(table(data, frame), frame.fields, as_of)
    except NotARule as error:
        for problem in error.problems:
            yield pack.problem(
                _place(data, problem.where), f"{problem.where}：{problem.what}", problem.remedy, "L1"
            )
        return
    name = amount_field(pack.id)
    try:
        fields = frame.with_amounts({name: data["benefit"]["amount"]})
    except NotARule as error:
        for problem in error.problems:
            what = f"金额「{data['benefit']['amount']}」：{problem.what}"
            yield pack.problem(("benefit", "amount"), what, problem.remedy, "L1")
        return
    for finding in analyse(policy):
        if finding.kind in ("never", "value"):
            yield pack.problem(("conditions",), f"规则分析：{finding.text}", finding.suggestion, finding.kind)
    judge = Judge([policy], frame.fields, as_of)
    for n, test in enumerate(data["tests"]):
        unknown = [f for f in test["in"] if f not in frame.fields]
        if unknown:
            yield pack.problem(("tests", n), f"例子用了没有登记的字段「{unknown[0]}」", "改正名称", "L1")
            continue
        row = given(test["in"], frame)
        verdict = judge.explain(row)[0]
        says = _SAYS.get(verdict.status) or ("差一项" if verdict.short == 1 else "不符合")
        if says != test["status"]:
            yield pack.problem(
                ("tests", n), f"例子「{test['name']}」应为{test['status']}，判为{says}", "改条件或例子"
            )
        if "amount" in test:
            amount = filled(fields, row, as_of)[0][name]
            if amount is None or amount != exact(test["amount"]):
                what = f"例子「{test['name']}」应得 {test['amount']} 元，算得 {amount}"
                yield pack.problem(("tests", n, "amount"), what, "改金额公式或例子")


def _lists(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], list[dict[str, Any]]]]:
    yield ("conditions",), data["conditions"]
    for n, rule in enumerate(data.get("rules", ())):
        yield ("rules", n, "conditions"), rule["conditions"]


def _place(data: Mapping[str, Any], where: str) -> tuple[str | int, ...]:
    """The line of the condition that a sentence of the engine speaks of."""
    for path, cells in _lists(data):
        for n, cell in enumerate(cells):
            if f"的「{cell['field']}」" in where:
                return (*path, n)
    return ("conditions",)


def given(values: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """A row from JSON or YAML: decimals exact, days as days; a day that is none counts as missing."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in frame.fields:
            continue
        if frame.fields[name].type == "date" and isinstance(value, str):
            try:
                found[name] = date.fromisoformat(value)
            except ValueError:
                found[name] = None
        elif frame.fields[name].type == "number" and isinstance(value, str):
            found[name] = Decimal(value) if value.replace(".", "", 1).replace("-", "", 1).isdigit() else None
        else:
            found[name] = exact(value)
    return found


def canonical(data: Mapping[str, Any]) -> str:
    """A policy's data as one text, to see whether two versions differ."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True)


def in_force(packs: Iterable[Pack], day: date) -> list[Pack]:
    """The policies whose period covers a day."""
    today = day.isoformat()
    return [
        p
        for p in packs
        if p.data["effective"]["from"] <= today <= p.data["effective"].get("to", "9999-12-31")
    ]
