"""A contract as JSON Schema and as the OpenAPI of its push interface. Pure."""

from __future__ import annotations

from typing import Any

from .cells import WHOLE_DIGITS, decimal_shape
from .contracts import Dataset, Field, Type

_DAY = r"^[1-9][0-9]{3}[-/]?[0-9]{1,2}[-/]?[0-9]{1,2}$"


def field_schema(f: Field) -> dict[str, Any]:
    """The JSON Schema of one field's value as text (numbers may be sent as numbers)."""
    schema: dict[str, Any] = {"title": f.name, "type": "string"}
    match f.type:
        case Type.INT:
            schema |= {"type": ["integer", "string"], "pattern": rf"^-?[0-9]{{1,{WHOLE_DIGITS}}}$"}
        case Type.DECIMAL:
            schema |= {"type": ["number", "string"], "pattern": f"^{decimal_shape(f.scale)}$"}
        case Type.DATE:
            schema |= {"pattern": _DAY, "description": "日期，2024-05-20"}
        case Type.DATETIME:
            schema["description"] = "时刻，2024-05-20 08:30:00，北京时间"
        case Type.USCC:
            schema |= {"minLength": 18, "maxLength": 18, "description": "GB 32100-2015，验校验位"}
        case Type.IDNO:
            schema |= {"minLength": 18, "maxLength": 18, "description": "GB 11643-1999，验校验位"}
        case Type.REGION:
            schema |= {"pattern": "^[1-8][0-9]{5}$", "description": "GB/T 2260 六位代码"}
        case Type.CODE:
            schema |= {"enum": sorted(f.codes), "description": f"代码表 {f.codelist}"}
    if f.pattern:
        schema["pattern"] = f"^(?:{f.pattern})$"
    if f.max_length:
        schema["maxLength"] = f.max_length
    for key, text in (("minimum", f.minimum), ("maximum", f.maximum)):
        if text and f.type in (Type.INT, Type.DECIMAL):
            schema[key] = float(text)
    if f.example:
        schema["examples"] = [f.example]
    schema["x-level"] = f.level
    return schema


def record_schema(dataset: Dataset) -> dict[str, Any]:
    """The JSON Schema of one record; keys may also be the Chinese names of fields."""
    return {
        "title": dataset.name,
        "type": "object",
        "properties": {f.id: field_schema(f) for f in dataset.fields},
        "required": [f.id for f in dataset.fields if f.required],
        "x-key": list(dataset.key),
        "x-rules": [
            {"id": r.id, "holds": r.holds, "what": r.what, "remedy": r.remedy} for r in dataset.rules
        ],
    }


def whose(dataset: Dataset) -> str:
    """In one sentence which records the office delivers for which the contract is bound; empty without a limit."""
    if not dataset.territory or dataset.within is None:
        return ""
    place, field = dataset.within, dataset.field(dataset.territory).name
    codes = "、".join(sorted(place.codes)[:3]) + (" 等" if len(place.codes) > 3 else "")
    return f"本单位只报{place.name}的记录（“{field}”写 {codes}），别处的由那里的单位报。"


def openapi(dataset: Dataset, root: str) -> dict[str, Any]:
    """The OpenAPI 3.1 description of pushing one dataset: the interface itself, and its sandbox."""
    batch = {
        "type": "object",
        "required": ["batch", "records"],
        "properties": {
            "batch": {"type": "string", "maxLength": 80, "description": "批次号：同一批次号再推，不重复入库"},
            "as_of": {"type": "string", "format": "date-time", "description": "数据截止时间，缺省为收到时"},
            "mode": {"enum": ["change", "full"], "description": "只报变化，或全量"},
            "office": {
                "type": "string",
                "format": "uuid",
                "description": "报送单位；只在一个单位有数据归集岗的不用写",
            },
            "records": {"type": "array", "maxItems": 1000, "items": {"$ref": "#/components/schemas/Record"}},
        },
    }
    body = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}},
    }
    answer = {"content": {"application/json": {"schema": {"type": "object"}}}}
    base = f"{root}hub/datasets/{dataset.id}"

    def post(summary: str, status: str, told: str) -> dict[str, Any]:
        return {
            "summary": summary,
            "requestBody": body,
            "security": [{"bearer": []}],
            "responses": {
                status: {"description": told, **answer},
                "422": {"description": "请求体不对", **answer},
            },
        }

    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{dataset.name}推送接口",
            "version": str(dataset.version),
            "description": "。".join(filter(None, (dataset.summary, whose(dataset)))),
        },
        "paths": {
            f"{base}/records": {"post": post("推送一批记录", "202", "已收下；每条的问题当场答复")},
            f"{base}/sandbox": {"post": post("试推：同样校验，不入库", "200", "校验结果")},
        },
        "components": {
            "schemas": {"Record": record_schema(dataset), "Batch": batch},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
