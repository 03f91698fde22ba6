"""Everything a contract checks of a row, as a numbered list; the numbers are bits of a row's mask. Pure."""

from __future__ import annotations

import re

from .contracts import Check, Dataset, Field, Type

MOST = 62  # bits of a signed 64-bit mask, the last one kept for "duplicate"
DUPLICATE = 62

_TYPES = {
    Type.INT: ("不是整数", "写成不带逗号和单位的整数，如 1200"),
    Type.DATE: ("不是日期", "写成 2024-05-20、2024/5/20 或 20240520"),
    Type.DATETIME: ("不是时刻", "写成 2024-05-20 08:30:00"),
    Type.USCC: ("不是有效的统一社会信用代码（GB 32100-2015）", "对照营业执照核对 18 位代码"),
    Type.IDNO: ("不是有效的公民身份号码（GB 11643-1999）", "对照证件核对 18 位号码"),
    Type.REGION: ("不是六位行政区划代码", "写 GB/T 2260 的六位代码，如 370102"),
}

_ELSEWHERE = "本单位只报本区划的记录：核对区划；确属别处的，由那里的单位报"


def checks(dataset: Dataset) -> tuple[Check, ...]:
    """The checks of a contract, in the order of their bits.

    Raises:
        ValueError: more checks than a mask has bits (``packs check`` says so first).
    """
    found: list[tuple[str, str, str, str, str]] = []
    for f in dataset.fields:
        found.extend((kind, f.id, what, remedy, "") for kind, what, remedy in _of(f))
        if f.id == dataset.territory:  # also without a limit: the bits are the contract's
            where = dataset.within.name if dataset.within else "本单位的区划"
            found.append(("territory", f.id, f"不在{where}范围内", _ELSEWHERE, ""))
    found.extend(("rule", r.field, r.what, r.remedy, r.id) for r in dataset.rules)
    if len(found) > MOST:
        raise ValueError(f"{dataset.id}: {len(found)} checks, at most {MOST}")
    made = [Check(bit, *one) for bit, one in enumerate(found)]
    key = "、".join(dataset.field(k).name for k in dataset.key)
    remedy = f"同一{key}只留一行；确有多条的，核对主键是否抄错"
    return (*made, Check(DUPLICATE, "duplicate", dataset.key[0], "与本批另一行的主键重复而内容不同", remedy))


def read_by(dataset: Dataset, rule: str) -> tuple[str, ...]:
    """The fields that a rule names, in the order of the contract; also one called like a function of FEEL."""
    words = set(re.findall(r"\w+", next(r.holds for r in dataset.rules if r.id == rule)))
    return tuple(f.id for f in dataset.fields if f.id in words)


def _of(f: Field) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    if f.required:
        found.append(("required", "是空的", "这一项必填，补上后重报"))
    if f.type is Type.DECIMAL:
        found.append(("type", "不是数", f"写成不带逗号和单位的数，小数最多 {f.scale} 位，如 1200.50"))
    elif f.type in _TYPES:
        found.append(("type", *_TYPES[f.type]))
    elif f.type is Type.STRING:
        found.append(("type", "含有不可见字符", "删去不可见字符后重报"))
    if f.codes:
        few = [f"{c} {f.labels[c]}" if c in f.labels else c for c in sorted(f.codes)[:12]]
        listed = "、".join(few) + (" 等" if len(f.codes) > 12 else "")
        where = f"代码表“{f.listed or f.codelist}”" if f.type is Type.CODE else "行政区划表"
        found.append(("codes", f"不在{where}里", f"改成其中之一：{listed}"))
    if f.minimum:
        found.append(("min", f"小于 {f.minimum}", f"核对后改成不小于 {f.minimum} 的值"))
    if f.maximum:
        found.append(("max", f"大于 {f.maximum}", f"核对后改成不大于 {f.maximum} 的值"))
    if f.max_length:
        found.append(("length", f"超过 {f.max_length} 个字", f"缩短到 {f.max_length} 个字以内"))
    if f.pattern:
        words = f.pattern.split("|")
        if all(w.isalnum() for w in words):  # a choice, not an expression
            remedy = "写成其中之一：" + "、".join(words)
        else:
            remedy = f"写成 {f.example} 的样子" if f.example else f"应符合 {f.pattern}"
        found.append(("pattern", "格式不对", remedy))
    return found
