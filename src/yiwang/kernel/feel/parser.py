"""From text to syntax tree (DMN 1.5 §10.3.1.2, grammar rules 1 to 66).

Precedence, loosest first: or, and, comparison (also between, in), + -, * /, **, negation, instance of,
path and filter and call.
Nothing is ever tried twice, so parsing time grows with the length of the text only.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import DecimalException

from yiwang.kernel.feel import nodes as n
from yiwang.kernel.feel.errors import FeelSyntaxError
from yiwang.kernel.feel.lexer import scan
from yiwang.kernel.feel.reader import Reader, Words
from yiwang.kernel.feel.values import DECIMAL

LONGEST_CHAIN = 150  # operators, paths or filters in one row
_COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">="))
_LEVELS: dict[str, int] = {"+": 4, "-": 4, "*": 5, "/": 5, "**": 6}


class Parser(Reader):
    """Reads expressions and tests."""

    def __init__(self, text: str, words: Words) -> None:
        super().__init__(text, words)
        self.range_depth = 0  # at which depth a range's end is being read
        self.in_filter = False
        self.asks = False  # whether the part just read says "?"
        self.partial = False  # whether it says "partial"

    # Expressions

    def expression(self) -> n.Node:
        with self._nested():
            if self.at("<", "<=", ">", ">="):
                return self._open_range()  # rule 2.j: a simple test may stand where an expression does
            return self._binary(1)

    def _binary(self, level: int) -> n.Node:
        """Everything whose operators bind at least as tightly as `level`: 1 or, 2 and, 3 comparison, …"""
        left = self._unary()
        count = 0
        while True:
            count += 1
            if count > LONGEST_CHAIN:
                raise FeelSyntaxError(f"一行里的运算超过 {LONGEST_CHAIN} 个，请拆开", self.position)
            token = self.peek()
            if token.kind not in ("operator", "keyword"):
                return left
            operator = token.text
            if operator == "or" and level <= 1:
                left = n.Or((left, *self._row("or", 2)))
            elif operator == "and" and level <= 2:
                left = n.And((left, *self._row("and", 3)))
            elif operator in _COMPARISONS and level <= 3:
                self.next()
                left = n.Compare(operator, left, self._binary(4))
            elif operator == "between" and level <= 3:
                self.next()
                low = self._binary(4)
                self.expect("and")
                left = n.Between(left, low, self._binary(4))
            elif operator == "in" and level <= 3:
                self.next()
                left = n.In(left, self._in_tests())
            elif operator in _LEVELS and level <= _LEVELS[operator]:
                self.next()
                left = n.Arithmetic(operator, left, self._binary(_LEVELS[operator] + 1))
            else:
                return left

    def _row(self, operator: str, level: int) -> list[n.Node]:
        parts = []
        while self.take(operator):
            parts.append(self._binary(level))
        return parts

    def _unary(self) -> n.Node:
        signs = 0
        while self.take("-"):
            signs += 1
        value: n.Node
        if signs and self.peek().kind == "number":
            # The sign belongs to the number (rule 37), so -1 instance of number.
            number = self._number()
            value = n.Literal(DECIMAL.minus(number.value)) if signs % 2 else number
            signs = 0
        else:
            value = self._primary()
        value = self._postfix(value)
        if self.take("instance"):
            self.expect("of")
            value = n.InstanceOf(value, self._type())
        if signs == 0:
            return value
        return n.Negate(value) if signs % 2 else n.Negate(n.Negate(value))

    def _postfix(self, value: n.Node) -> n.Node:
        for _ in range(LONGEST_CHAIN):
            if self.take("."):
                value = n.Path(value, self._member())
            elif self.at("[") and not self._closes_range():
                self.next()
                value = n.Filter(value, self._condition())
            elif self.take("("):
                value = self._call(value)
            else:
                return value
        raise FeelSyntaxError(f"一行里的「.」「[」「(」超过 {LONGEST_CHAIN} 个，请拆开", self.position)

    def _closes_range(self) -> bool:
        """Whether the `[` that follows ends a range such as `]1..3[`: no filter begins with what is behind it."""
        if self.range_depth != self.depth:
            return False
        bracket = self.peek()
        behind = scan(self.text, bracket.end, self.known)
        if behind.kind == "operator":
            return behind.text not in ("-", "(", "[", "{", "@", "?")
        starts = ("true", "false", "null", "if", "for", "some", "every", "function")
        return behind.kind == "end" or (behind.kind == "keyword" and behind.text not in starts)

    def _condition(self) -> n.Node:
        """What stands in a filter's brackets, where the items' members are names in scope."""
        outer, self.known = self.known, (*self.known[:2], self.words.members, self.words.functions)
        around, self.in_filter = self.in_filter, True
        self._token = None
        condition = self.expression()
        self.known, self.in_filter = outer, around
        self.expect("]")
        return condition

    def _member(self) -> str:
        token = scan(self.text, self.position, (self.local, self.words.members))
        if token.kind not in ("name", "keyword"):
            self._token = token
            self.fail("「.」后面应为名称")
        self.position, self._token = token.end, None
        name = token.text
        while self.peek().kind == "name":  # words in a row can only be one name
            name += " " + self.next().text
        return name

    def _call(self, function: n.Node) -> n.Node:
        arguments: list[n.Node] = []
        names: list[str] = []
        while not self.at(")"):
            name = self._argument_name()
            if (name is None) != (not names) and arguments:
                self.fail("函数的参数要么都写名称，要么都不写")
            if name is not None:
                names.append(name)
            arguments.append(self.expression())
            if not self.take(","):
                break
        self.expect(")")
        return n.Call(function, tuple(arguments), tuple(names))

    # Primaries

    def _primary(self) -> n.Node:
        token = self.peek()
        if token.kind == "number":
            return self._number()
        if token.kind == "string":
            self.next()
            return n.Literal(token.text)
        if token.kind == "name":
            self.next()
            name = token.text
            while self.in_filter and self.peek().kind == "name":
                name += " " + self.next().text  # words in a row: a member of the items, known only to them
            self.partial = self.partial or name == "partial"
            return n.Name(name)
        handler = _PRIMARIES.get(token.text) if token.kind in ("operator", "keyword") else None
        if handler is None:
            self.fail("这里应为一个值")
        return handler(self)

    def _number(self) -> n.Literal:
        token = self.next()
        try:
            return n.Literal(DECIMAL.create_decimal(token.text))
        except DecimalException:
            raise FeelSyntaxError(f"数字 {token.text} 超出范围，请改小", token.start) from None

    def _constant(self) -> n.Node:
        return n.Literal({"true": True, "false": False, "null": None}[self.next().text])

    def _input(self) -> n.Node:
        self.next()
        self.asks = True
        return n.Name("?")

    def _at(self) -> n.Node:
        self.next()
        token = self.next()
        if token.kind != "string":
            raise FeelSyntaxError("「@」后面应为双引号中的日期、时间或期间", token.start)
        return n.AtLiteral(token.text)

    def _parenthesis(self) -> n.Node:
        self.next()
        if self.at(*_COMPARISONS):
            value = self._open_range()
            self.expect(")")
            return value
        value = self.expression()
        if self.take(".."):
            return self._range(False, value)
        self.expect(")")
        return value

    def _open_range(self) -> n.Node:
        """`(> 5)`: a range without an end (rule 8 of DMN 1.5)."""
        operator = self.next().text
        value = self._binary(4)
        if operator in ("<", "<="):
            return n.RangeOf(False, None, value, operator == "<=")
        if operator in (">", ">="):
            return n.RangeOf(operator == ">=", value, None, False)
        if operator == "=":
            return n.RangeOf(True, value, value, True)
        raise FeelSyntaxError("「!=」不能写成区间，请用 not(…)", self.position)

    def _bracket(self) -> n.Node:
        self.next()
        items: list[n.Node] = []
        while not self.at("]"):
            items.append(self._open_range() if self.at("=") else self.expression())
            if len(items) == 1 and self.take(".."):
                return self._range(True, items[0])
            if not self.take(","):
                break
        self.expect("]")
        return n.ListOf(tuple(items))

    def _open_bracket(self) -> n.Node:
        self.next()
        start = self.expression()
        self.expect("..")
        return self._range(False, start)

    def _range(self, start_included: bool, start: n.Node) -> n.Node:
        outer, self.range_depth = self.range_depth, self.depth + 1
        end = self.expression()
        self.range_depth = outer
        if not self.at(")", "]", "["):
            self.fail("区间应以「)」或「]」结束")
        return n.RangeOf(start_included, start, end, self.next().text == "]")

    def _context(self) -> n.Node:
        self.next()
        entries: list[tuple[str, n.Node]] = []
        keys: set[str] = set()
        while not self.at("}"):
            token = self.peek()
            key = self.next().text if token.kind == "string" else self._argument_key()
            if token.kind == "string":
                self.expect(":")
            if key in keys:
                raise FeelSyntaxError(f"「{key}」写了两次，请删去一个", token.start)
            keys.add(key)
            entries.append((key, self.expression()))
            self._declare(key)
            if not self.take(","):
                break
        self.expect("}")
        return n.ContextOf(tuple(entries))

    def _if(self) -> n.Node:
        cases: list[tuple[n.Node, n.Node]] = []
        while self.take("if"):  # else if … else if … is one row, not one inside the other
            condition = self.expression()
            self.expect("then")
            cases.append((condition, self.expression()))
            self.expect("else")
            if len(cases) > LONGEST_CHAIN:
                raise FeelSyntaxError(f"「else if」超过 {LONGEST_CHAIN} 个，请改用决策表", self.position)
        value = self.expression()
        for condition, then in reversed(cases):
            value = n.If(condition, then, value)
        return value

    def _for(self) -> n.Node:
        self.next()
        iterators = self._iterators()
        self.expect("return")
        outer, self.partial = self.partial, False
        body = self.expression()
        found, self.partial = self.partial, outer or self.partial
        return n.For(iterators, body, found)

    def _quantified(self) -> n.Node:
        every = self.next().text == "every"
        iterators = self._iterators()
        self.expect("satisfies")
        return n.Quantified(every, iterators, self.expression())

    def _iterators(self) -> tuple[n.Iterator, ...]:
        result = []
        while True:
            name = self._variable()
            self.expect("in")
            source = self.expression()
            end = self.expression() if self.take("..") else None
            result.append(n.Iterator(name, source, end))
            if not self.take(","):
                return tuple(result)

    def _lambda(self) -> n.Node:
        self.next()
        self.expect("(")
        parameters: list[str] = []
        types: list[n.TypeOf | None] = []
        while not self.at(")"):
            parameters.append(self._variable())
            types.append(self._type() if self.take(":") else None)
            if not self.take(","):
                break
        self.expect(")")
        if len(set(parameters)) < len(parameters):
            self.fail("两个参数同名，请改名")
        external = self.take("external")
        return n.Lambda(tuple(parameters), tuple(types), self.expression(), external)

    # Tests

    def _in_tests(self) -> tuple[n.Node, ...]:
        if not self.at("("):
            return (self._test(lambda: self._binary(4)),)
        self.next()
        first = self._test(self.expression)
        if isinstance(first, n.ValueTest) and self.take(".."):
            return (n.ValueTest(self._range(False, first.expression), False),)
        tests = [first]
        while self.take(","):
            tests.append(self._test(self.expression))
        self.expect(")")
        return tuple(tests)

    def _test(self, operand: Callable[[], n.Node]) -> n.Node:
        if self.at(*_COMPARISONS):
            operator = self.next().text
            return n.OperatorTest(operator, self._binary(4))
        outer, self.asks = self.asks, False
        expression = operand()
        asks, self.asks = self.asks, outer or self.asks
        return n.ValueTest(expression, asks)

    def unary_tests(self) -> tuple[n.Node, ...] | None:
        """Rules 12 to 16; None is `-`, which every value meets."""
        text = self.text.strip()
        if text in ("", "-"):
            self.position = len(self.text)
            self._token = None
            return None
        token = self.peek()
        if token.kind == "name" and token.text == "not":
            self.next()
            if self.at("("):
                return self._not_tests()
            self.position, self._token = token.start, None
        tests = [self._test(self.expression)]
        while self.take(","):
            tests.append(self._test(self.expression))
        return tuple(tests)

    def _not_tests(self) -> tuple[n.Node, ...]:
        self.expect("(")
        tests = [self._test(self.expression)]
        while self.take(","):
            tests.append(self._test(self.expression))
        self.expect(")")
        if len(tests) == 1 and isinstance(tests[0], n.ValueTest) and tests[0].asks:
            # not(? > 5 and …): the function not() on a boolean about the input.
            inner = n.Call(n.Name("not"), (tests[0].expression,), ())
            return (n.ValueTest(inner, True),)
        return (n.NotTest(tuple(tests)),)


_PRIMARIES: dict[str, Callable[[Parser], n.Node]] = {
    "true": Parser._constant,
    "false": Parser._constant,
    "null": Parser._constant,
    "?": Parser._input,
    "@": Parser._at,
    "(": Parser._parenthesis,
    "[": Parser._bracket,
    "]": Parser._open_bracket,
    "{": Parser._context,
    "if": Parser._if,
    "for": Parser._for,
    "some": Parser._quantified,
    "every": Parser._quantified,
    "function": Parser._lambda,
}
