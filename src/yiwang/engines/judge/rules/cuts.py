"""Where the answer of a cell may change: the values of its constant parts, and the next value after each. Pure.

Constant parts are evaluated, not read from the text: `-500` is a calculation in FEEL, and so is `10 ** 4 / 2`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as empty
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from yiwang.engines.judge.rules.values import EPOCH, LEAST, LEAST_DAY, MOST, MOST_DAY, Key, Typed, value_of
from yiwang.kernel.feel import Range, UnaryTests
from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.compiler import Compiler
from yiwang.kernel.feel.evaluation import Run, Scope
from yiwang.kernel.feel.values import DECIMAL

_COMPILER = Compiler()
_CLOCK = ("today", "now")


class Scalar(Exception):
    """The cell is not of the vectorisable class; the message, in Chinese, says why."""


@dataclass(frozen=True, eq=False)
class Kit:
    """A caller's own functions in cells, by name.

    `monotone` are those that only rise, or only fall, as their first argument does: an age, by the day of birth.
    """

    functions: Mapping[str, Callable[..., Any]] = empty(default_factory=dict)
    monotone: frozenset[str] = frozenset()


NO_KIT = Kit()


def cuts_of(field: Typed, tests: UnaryTests, constants: Scope, kit: Kit = NO_KIT) -> tuple[Any, ...]:
    """Keys, ascending, at which a new stretch with a constant answer may begin.

    Raises:
        Scalar: the text is not of the class whose cuts are known.
    """
    found: set[Key] = set()
    for test in tests.tests or ():
        _test(field, test, constants, found, kit)
    return tuple(sorted(found))


def children(node: n.Node) -> Iterator[n.Node]:
    """The nodes directly below."""
    for one in dataclasses.fields(node):  # type: ignore[arg-type]
        value = getattr(node, one.name)
        if isinstance(value, n.Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, n.Node):
                    yield item
                elif isinstance(item, tuple):
                    yield from (part for part in item if isinstance(part, n.Node))


def speaks_of_null(node: n.Node) -> bool:
    """Whether the literal null stands in the text."""
    if isinstance(node, n.Literal):
        return node.value is None
    return any(map(speaks_of_null, children(node)))


def asks(node: n.Node) -> bool:
    """Whether the text speaks of the input itself with `?`."""
    return (isinstance(node, n.Name) and node.name == "?") or any(map(asks, children(node)))


def constant(node: n.Node, constants: Scope, kit: Kit = NO_KIT) -> Any:
    """The value of a part that reads neither the input nor the clock.

    Raises:
        Scalar: it does.
    """
    if _reads_clock(node):
        raise Scalar("它读取当前时刻，请改用 today（判断日）")
    run = Run(kit.functions)
    return run.whole(_COMPILER.compile(node), constants)


def _reads_clock(node: n.Node) -> bool:
    if isinstance(node, n.Call) and isinstance(node.function, n.Name) and node.function.name in _CLOCK:
        return True
    return any(map(_reads_clock, children(node)))


def _test(field: Typed, node: n.Node, constants: Scope, found: set[Key], kit: Kit) -> None:
    if isinstance(node, n.NotTest):
        for test in node.tests:
            _test(field, test, constants, found, kit)
    elif isinstance(node, n.OperatorTest):
        if asks(node.operand):
            raise Scalar("比较的另一边也读取了本列的值")
        _value(field, constant(node.operand, constants, kit), found)
    elif isinstance(node, n.ValueTest):
        if node.asks:
            _asking(field, node.expression, constants, found, kit)
        elif asks(node.expression):
            raise Scalar("写法不在可批量判断的范围")
        else:
            _value(field, constant(node.expression, constants, kit), found)
    else:
        raise Scalar("写法不在可批量判断的范围")


def _asking(field: Typed, node: n.Node, constants: Scope, found: set[Key], kit: Kit) -> None:
    """A condition on `?`: comparisons with constants, joined by and, or, not."""
    if not asks(node):
        constant(node, constants, kit)
    elif isinstance(node, (n.And, n.Or)):
        for part in node.parts:
            _asking(field, part, constants, found, kit)
    elif isinstance(node, n.Compare):
        sides = [side for side in (node.left, node.right) if not _is_input(side)]
        if len(sides) == 2 and _steps(field, node, constants, found, kit):
            return
        if len(sides) != 1 or asks(sides[0]):
            raise Scalar("比较的两边应是「?」与一个常量；若要先计算，请声明派生指标")
        _value(field, constant(sides[0], constants, kit), found)
    elif isinstance(node, n.Between) and _is_input(node.value):
        for side in (node.low, node.high):
            if asks(side):
                raise Scalar("between 的两端应是常量")
            _value(field, constant(side, constants, kit), found)
    elif isinstance(node, n.In) and _is_input(node.value):
        for test in node.tests:
            _test(field, test, constants, found, kit)
    elif isinstance(node, n.Call) and isinstance(node.function, n.Name) and not node.names:
        _call(field, node, node.function.name, constants, found, kit)
    elif isinstance(node, n.Name) and field.type == "boolean":
        return
    else:
        raise Scalar("先计算再比较的写法只能逐户判断；若要批量判断，请声明派生指标")


def _call(field: Typed, node: n.Call, name: str, constants: Scope, found: set[Key], kit: Kit) -> None:
    if name == "not" and len(node.arguments) == 1:
        _asking(field, node.arguments[0], constants, found, kit)
    elif name == "starts with" and len(node.arguments) == 2 and _is_input(node.arguments[0]):
        if asks(node.arguments[1]):
            raise Scalar("前缀应是常量")
        prefix = constant(node.arguments[1], constants, kit)
        if isinstance(prefix, str) and field.type in ("string", "code"):
            found.update(filter(None, (prefix, after_prefix(prefix))))
    elif name == "list contains" and len(node.arguments) == 2 and _is_input(node.arguments[1]):
        if asks(node.arguments[0]):
            raise Scalar("名单应是常量")
        _value(field, constant(node.arguments[0], constants, kit), found)
    elif field.type == "boolean":
        return
    else:
        raise Scalar(f"函数「{name}」只能逐户判断")


def _steps(field: Typed, node: n.Compare, constants: Scope, found: set[Key], kit: Kit) -> bool:
    """Cuts of a function that rises or falls with the input, compared with a constant; False for anything else.

    `f(x) >= c` and `f(x) > c` each change once; all six comparisons follow from the two.
    """
    for call, other in ((node.left, node.right), (node.right, node.left)):
        if not (isinstance(call, n.Call) and isinstance(call.function, n.Name) and call.arguments):
            continue
        first, *more = call.arguments
        if call.function.name not in kit.monotone or not _is_input(first) or any(map(asks, (*more, other))):
            continue
        if field.type not in ("date", "number"):
            raise Scalar(f"函数「{call.function.name}」只能逐户判断")
        ends = (LEAST_DAY, MOST_DAY) if field.type == "date" else (LEAST + 1, MOST)
        bound = n.Literal(constant(other, constants, kit))
        for operator in (">=", ">"):
            code = _COMPILER.compile(n.Compare(operator, call, bound))

            def holds(key: int, code: Any = code) -> bool:
                run = Run(kit.functions)
                return run.whole(code, Scope({"?": value_of(field, key)}, constants, True)) is True

            low, high = ends
            before = holds(low)
            if holds(high) is before:
                continue
            while high - low > 1:
                middle = (low + high) // 2
                if holds(middle) is before:
                    low = middle
                else:
                    high = middle
            found.add(high)
        return True
    return False


def _is_input(node: n.Node) -> bool:
    return isinstance(node, n.Name) and node.name == "?"


def after_prefix(prefix: str) -> str:
    """The least text greater than all that begin with `prefix`; empty when there is none."""
    for i in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[i]) + 1
        if code == 0xD800:
            code = 0xE000  # no text holds surrogates
        if code <= 0x10FFFF:
            return prefix[:i] + chr(code)
    return ""


def _value(field: Typed, value: Any, found: set[Key]) -> None:
    """The cuts that a constant makes: itself and the next value. Of another type, it makes none."""
    if isinstance(value, list):
        for item in value:
            _value(field, item, found)
    elif isinstance(value, Range):
        for end in (value.start, value.end):
            _value(field, end, found)
    elif isinstance(value, Decimal) and field.type == "number":
        if abs(value) < 10**30:
            scaled = DECIMAL.scaleb(value, field.scale)
            low = int(scaled.to_integral_value(ROUND_CEILING))
            high = int(scaled.to_integral_value(ROUND_FLOOR)) + 1
            found.update(cut for cut in (low, high) if LEAST < cut <= MOST)
    elif isinstance(value, datetime):
        if field.type == "date":
            raise Scalar("日期与时刻的比较只能逐户判断")
    elif isinstance(value, date) and field.type == "date":
        day = value.toordinal() - EPOCH
        found.update(cut for cut in (day, day + 1) if LEAST_DAY < cut <= MOST_DAY)
    elif isinstance(value, str) and field.type in ("string", "code"):
        found.update((value, value + "\0") if value else ("\0",))
    elif callable(value) or type(value).__name__ in ("Function", "FarDate", "FarMoment"):
        raise Scalar("常量的类型只能逐户判断")
