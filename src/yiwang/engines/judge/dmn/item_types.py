"""From item definitions to FEEL types (DMN 1.5 §7.3.2, §10.3.2.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from yiwang.engines.judge.dmn.contracts import Definitions, ItemDefinition, Problem, Tests
from yiwang.kernel.feel import FeelSyntaxError, UnaryTests, parse_unary
from yiwang.kernel.feel.lexer import Vocabulary
from yiwang.kernel.feel.reader import types as vocabulary
from yiwang.kernel.feel.types import ANY, SIMPLE, Type

# How the type names are written in the versions of the standard and by modellers.
_ALIASES = {
    "any": "Any",
    "Null": "Null",
    "dateTime": "date and time",
    "datetime": "date and time",
    "date_and_time": "date and time",
    "dayTimeDuration": "days and time duration",
    "days_and_time_duration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "years_and_months_duration": "years and months duration",
}


_DEEPEST = 60  # types within types; values are walked through as deep


class ItemTypes(Mapping[str, Type]):
    """The types of one model by name; those of imported models by `import.name`."""

    def __init__(self, model: Definitions, imported: Sequence[tuple[str, ItemTypes]]) -> None:
        self._definitions = {one.name: one for one in model.types}
        self._imported = imported
        self._made: dict[str, Type] = {}
        self._making: set[str] = set()
        self.problems: list[Problem] = []

    @cached_property
    def words(self) -> Vocabulary:
        """The names of the types, ready for parsers."""
        return vocabulary(self)

    def __getitem__(self, name: str) -> Type:
        type_ = self.named(name)
        if type_ is None:
            raise KeyError(name)
        return type_

    def __iter__(self) -> Iterator[str]:
        yield from self._definitions
        for prefix, types in self._imported:
            yield from (f"{prefix}.{name}" if prefix else name for name in types)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def reference(self, text: str | None) -> Type | None:
        """The type that a type reference means: ANY without one, None when there is no such type."""
        if not text:
            return ANY
        found = self.named(text) or _built_in(text)
        if found is None and ":" in text:  # a qualified name of DMN 1.1: feel:string, kie:tPerson
            bare = text.partition(":")[2]
            found = _built_in(bare) or self.named(bare)
            for _, types in () if found else self._imported:
                found = found or types.named(bare)
        return found

    def allowed_values(self, name: str | None) -> UnaryTests | None:
        """The allowed values of an item definition, in their order."""
        seen: set[str] = set()
        definition = self._definitions.get(name or "")
        while definition is not None and definition.allowed is None and definition.name not in seen:
            seen.add(definition.name)
            definition = self._definitions.get(definition.type_ref or "")
        if definition is None or definition.allowed is None:
            return None
        try:
            return parse_unary(definition.allowed.text, types=self)
        except FeelSyntaxError:
            return None

    def named(self, name: str) -> Type | None:
        """The type that an item definition of this name makes, here or in an imported model."""
        if name in self._made:
            return self._made[name]
        definition = self._definitions.get(name)
        if definition is not None:
            if name in self._making:
                return ANY  # a type that contains itself
            if len(self._making) >= _DEEPEST:
                what = f"类型一层套一层，超过 {_DEEPEST} 层"
                self.problems.append(Problem(name, definition.id, what, "请合并几层"))
                return ANY
            self._making.add(name)
            try:
                self._made[name] = self._make(definition)
            finally:
                self._making.discard(name)
            return self._made[name]
        for prefix, types in self._imported:
            if not prefix or name.startswith(prefix + "."):
                found = types.named(name[len(prefix) + 1 :] if prefix else name)
                if found is not None:
                    return found
        return None

    def _make(self, item: ItemDefinition) -> Type:
        type_ = self._base(item)
        if item.allowed is not None:
            type_ = self._restricted(type_, item, item.allowed, item.name)
        if item.is_collection:
            type_ = Type("list", (type_,), label="" if type_.label else item.name)
        if item.constraint is not None:
            type_ = self._restricted(type_, item, item.constraint, item.name, True)
        return replace(type_, label=item.name)

    def _base(self, item: ItemDefinition) -> Type:
        if item.parameters is not None:
            parameters = tuple(self.known(one.type_ref, item) for one in item.parameters)
            return Type("function", parameters, result=self.known(item.result, item))
        if item.components:
            names = tuple(one.name for one in item.components)
            return Type("context", tuple(self._make(one) for one in item.components), names)
        return self.known(item.type_ref, item)

    def known(self, text: str | None, item: ItemDefinition) -> Type:
        """The type of a reference inside an item definition; Any, and a problem, when there is none."""
        found = self.reference(text)
        if found is None:
            what = f"没有类型「{text}」"
            self.problems.append(Problem(item.name, item.id, what, "请定义它，或改用 number、string 等"))
        return found or ANY

    def _restricted(
        self, type_: Type, item: ItemDefinition, tests: Tests, label: str, whole: bool = False
    ) -> Type:
        try:
            parsed = parse_unary(tests.text, types=self)
        except FeelSyntaxError as error:
            self.problems.append(Problem(item.name, item.id, f"允许值写错了：{error}", "请改正"))
            return type_
        return replace(type_, check=_both(type_.check, _allows(parsed, whole)), label=label)


def _built_in(text: str) -> Type | None:
    return SIMPLE.get(text) or SIMPLE.get(_ALIASES.get(text, ""))


def _allows(tests: UnaryTests, whole: bool) -> Callable[[Any], bool]:
    def allows(value: Any) -> bool:
        if tests.evaluate(value) is True:
            return True
        # Allowed values speak of the items, also where the base type is a collection.
        return (
            not whole
            and type(value) is list
            and all(item is None or tests.evaluate(item) is True for item in value)
        )

    return allows


def _both(first: Callable[[Any], bool] | None, second: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return second if first is None else lambda value: first(value) and second(value)
