"""A family for the tests. Region code 379901 was never issued: nobody has these numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from yiwang.engines.cases.forms.contracts import Lookup, RegisterUnavailable
from yiwang.kernel.packs.contracts import Library
from yiwang.kernel.packs.loader import read

PACKS = next(p for p in Path(__file__).resolve().parents if (p / "packs" / "base").is_dir()) / "packs"
LIBRARY: Library = read(PACKS)[0]

MOTHER = "379901199003070126"
FATHER = "379901198506150019"
PERSON = {"mz": "01", "whcd": "20", "hjdz": "示例路 1 号 2 单元 301", "hjqh": "370102"}
RECORDS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "population": {MOTHER: {"xm": "李一一", **PERSON}, FATHER: {"xm": "王二二", **PERSON, "hjqh": "370202"}},
    "residence": {p: {"xzz": "示例街 2 号", "xzqh": "370103"} for p in (MOTHER, FATHER)},
    "marriage": {
        MOTHER: {"jhzzh": "J379901-2015-000001", "djrq": "2015-05-20", "poxm": "王二二", "posfz": FATHER},
        FATHER: {"jhzzh": "J379901-2015-000001", "djrq": "2015-05-20", "poxm": "李一一", "posfz": MOTHER},
    },
    "birth_facility": {
        MOTHER: {
            "cssj": "2026-11-20T08:30:00",
            "xb": "女",
            "yz": 39,
            "tz": 3200,
            "sc": 50,
            "jg": "示例市妇幼保健院",
            "jgqh": "370102",
            "fmfs": "顺产",
        }
    },
    "clinics": {"370103": {"mc": "示例社区卫生服务中心"}},
    "sscard": {MOTHER: {"yh": "示例银行", "zh": "6222000000000000000"}},
    "medical_insurance": {MOTHER: {"cbqh": "370102", "sybx": "参保", "xm": "李一一"}},
}
SIGNED_IN = {"mother.name": "李一一", "mother.idno": MOTHER, "mother.phone": "13800000000"}
TYPED = {
    "child.name": "王小满",
    "child.ethnic": "01",
    "child.hukou_with": "随母",
    "mother.births": 1,
    "father.phone": "13900000000",
    "service.card_bank": "ICBC",
    "service.delivery": "邮寄送达",
    "service.delivery_addr": "示例街 2 号",
}


def lookup(down: Collection[str] = ()) -> Lookup:
    """The registers of this world, some of them down."""

    def look(register: str, key: str) -> Mapping[str, Any] | None:
        if register in down:
            raise RegisterUnavailable(register)
        return RECORDS.get(register, {}).get(key)

    return look
