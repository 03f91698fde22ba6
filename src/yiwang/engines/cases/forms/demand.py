"""What the items of a form want: a field as they together want it, an item as a bundle binds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from yiwang.engines.cases.forms import expressions
from yiwang.engines.cases.forms.contracts import PlanError
from yiwang.engines.cases.forms.dictionary import Element
from yiwang.kernel.packs.contracts import Pack


@dataclass
class Wanted:
    """One field as the items together want it, before it is known where its value comes from."""

    path: str
    element: Element
    items: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    why: str = ""
    required: bool = False
    required_when: set[str] = field(default_factory=set)
    whens: set[str] = field(default_factory=set)
    always: bool = False
    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    codes: tuple[str, ...] | None = None
    default: str | None = None  # FEEL over situations
    supporting: bool = True


@dataclass(frozen=True)
class Bound:
    """A service item as a bundle binds it."""

    pack: Pack
    bind: Mapping[str, str]
    optional: bool

    def path(self, path: str) -> str:
        """A path of the item in the plan's roles."""
        role, element = path.split(".", 1)
        return f"{self.bind.get(role, role)}.{element}"

    def text(self, expression: str) -> str:
        """An expression of the item in the plan's roles."""
        return expressions.rename(expression, self.bind)


def entity_of(role: Any) -> str:
    """The entity of a role's declaration."""
    return str(role["entity"] if isinstance(role, Mapping) else role)


def tighten(wanted: Wanted, item: Bound, spec: Mapping[str, Any]) -> None:
    """Add one item's demand: the strictest of all counts."""
    wanted.supporting = False
    wanted.items.append(item.pack.id)
    if spec.get("label"):
        wanted.labels.append(spec["label"])
    wanted.why = wanted.why or spec.get("why", "")
    required = spec.get("required", False)
    when = item.text(spec["when"]) if "when" in spec else None
    if required is True and when is None:
        wanted.required = True
    elif required is True and when is not None:
        wanted.required_when.add(when)
    elif isinstance(required, str):
        wanted.required_when.add(item.text(required))
    if when is None:
        wanted.always = True
    else:
        wanted.whens.add(when)
    if "min" in spec:
        wanted.min = max(spec["min"], wanted.min) if wanted.min is not None else spec["min"]
    if "max" in spec:
        wanted.max = min(spec["max"], wanted.max) if wanted.max is not None else spec["max"]
    if "pattern" in spec:
        if wanted.pattern and wanted.pattern != spec["pattern"]:
            raise PlanError(
                f"{wanted.path} 的格式要求互相冲突：{wanted.pattern} 与 {spec['pattern']}，请用 merge 裁决"
            )
        wanted.pattern = spec["pattern"]
    if "default" in spec:
        default = item.text(spec["default"])
        if wanted.default not in (None, default):
            raise PlanError(f"{wanted.path} 的默认值互相冲突：{wanted.default} 与 {default}，请核对各事项")
        wanted.default = default
    if "codes" in spec:
        codes = tuple(spec["codes"])
        wanted.codes = codes if wanted.codes is None else tuple(c for c in wanted.codes if c in codes)
        if not wanted.codes:
            raise PlanError(f"{wanted.path} 的可选值没有交集，请核对各事项的 codes")
