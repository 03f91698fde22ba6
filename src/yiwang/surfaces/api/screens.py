"""The API's description: as OpenAPI for programs, and as a page for people."""

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from .v1 import schema


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return schema()


@require_GET
def openapi(request: HttpRequest) -> JsonResponse:
    """/api/v1/openapi.json"""
    return JsonResponse(_schema(), json_dumps_params={"ensure_ascii": False})


@require_GET
def docs(request: HttpRequest):
    """Every address with what it takes and gives, drawn from the same description; no script."""
    described = _schema()
    return render(
        request,
        "api/docs.html",
        {"about": described["info"], "operations": _operations(described), "shapes": _shapes(described)},
    )


def _operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {})
            good = next((r for code, r in operation["responses"].items() if str(code).startswith("2")), {})
            rows.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation.get("summary", ""),
                    "open": not operation.get("security"),
                    "parameters": operation.get("parameters", []),
                    "body": _ref(next(iter(body.values()), {}).get("schema", {})),
                    "answer": _ref(good.get("content", {}).get("application/json", {}).get("schema", {})),
                }
            )
    return rows


def _shapes(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "fields": [
                {"name": field, "type": _type(about), "required": field in shape.get("required", ())}
                for field, about in shape.get("properties", {}).items()
            ],
        }
        for name, shape in sorted(described["components"]["schemas"].items())
        if shape.get("properties")
    ]


def _ref(about: dict[str, Any]) -> str:
    return about.get("$ref", "").rsplit("/", 1)[-1]


def _type(about: dict[str, Any]) -> str:
    if "$ref" in about:
        return _ref(about)
    if "anyOf" in about:
        return " | ".join(dict.fromkeys(_type(one) for one in about["anyOf"]))
    if "enum" in about:
        return " | ".join(map(str, about["enum"]))
    if about.get("type") == "array":
        return f"[{_type(about.get('items', {}))}]"
    return about.get("format") or about.get("type") or "JSON"
