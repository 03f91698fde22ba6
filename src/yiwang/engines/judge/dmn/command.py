"""What `yiwang dmn run` and `convert` do: every value as JSON, with the reason of every null; Excel and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from yiwang.engines.judge.dmn.contracts import NotDmn
from yiwang.engines.judge.dmn.excel import from_excel, to_excel
from yiwang.engines.judge.dmn.loading import load, loads
from yiwang.engines.judge.dmn.model import Model, Outcome
from yiwang.engines.judge.dmn.writer import dump
from yiwang.kernel.feel.types import Type
from yiwang.kernel.feel.values import text


def read_inputs(raw: str, model: Model, types: Mapping[str, Type | None] | None = None) -> dict[str, Any]:
    """Inputs from JSON text; text values are read by the declared type, numbers keep all their digits.

    Raises:
        ValueError: the text is no JSON object.
    """
    try:
        found = json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"输入不是 JSON：{error}") from None
    if not isinstance(found, dict):
        raise ValueError('输入应是一个 JSON 对象，例如 {"年龄": 18}')
    known = model.inputs if types is None else types
    return {name: _typed(value, known.get(name)) for name, value in found.items()}


def _typed(value: Any, type_: Type | None) -> Any:
    """Text where the type is a number or truth value; the model itself reads dates, times and durations."""
    if type_ is None:
        return value
    if isinstance(value, str) and type_.base == "number":
        try:
            return Decimal(value)
        except ArithmeticError:
            return value
    if isinstance(value, str) and type_.base == "boolean":
        return {"true": True, "false": False}.get(value, value)
    if isinstance(value, list) and type_.base == "list" and type_.arguments:
        return [_typed(item, type_.arguments[0]) for item in value]
    if isinstance(value, dict) and type_.base == "context":
        known = dict(zip(type_.members, type_.arguments, strict=True))
        return {key: _typed(member, known.get(key)) for key, member in value.items()}
    return value


def run(path: Path, raw: str, decision: str | None = None) -> dict[str, Any]:
    """The values of one decision (or knowledge model, or service), or of all decisions, ready for `to_json`.

    Raises:
        NotDmn, UnknownName, ValueError, OSError: as loading, finding and reading do.
    """
    model = load(path)
    types = model.parameters(decision) if decision else None
    inputs = read_inputs(raw, model, types)
    outcomes = {decision: model.explain(inputs, decision)} if decision else model.explain_all(inputs)
    return {
        "model": model.name,
        "values": {name: outcome.value for name, outcome in outcomes.items()},
        "reasons": {name: list(outcome.reasons) for name, outcome in outcomes.items() if _explained(outcome)},
    }


def convert(source: Path, to: str) -> bytes:
    """A model as DMN 1.5 (`.dmn`) or its tables as Excel (`.xlsx`).

    Raises:
        NotDmn: the source is neither, or `to` is another kind of file.
        OSError: the source cannot be read.
    """
    if to not in (".dmn", ".xlsx"):
        raise NotDmn(f"不能写成「{to}」文件，请用 .dmn 或 .xlsx")
    if source.suffix == ".xlsx":
        name = source.stem
        model = loads(from_excel(source.read_bytes(), name, f"urn:yiwang:dmn:{quote(name)}"))
    else:
        model = load(source)
    return dump(model) if to == ".dmn" else to_excel(model)


def _explained(outcome: Outcome) -> bool:
    return bool(outcome.reasons) and _has_null(outcome.value)


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    return any(map(_has_null, value)) if isinstance(value, list) else value is None


def to_json(value: Any) -> str:
    """JSON text of FEEL values: numbers with all their digits, dates and durations as FEEL strings."""
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (Decimal, int)):
        return f"{Decimal(value):f}"
    if isinstance(value, dict):
        members = (
            f"{json.dumps(str(key), ensure_ascii=False)}: {to_json(one)}" for key, one in value.items()
        )
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_json, value)) + "]"
    return json.dumps(text(value), ensure_ascii=False)
