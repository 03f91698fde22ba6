"""Whatever is written, an expression reaches no file, no network, no process, no module and no Python object."""

import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.kernel.feel import FeelSyntaxError, parse, parse_unary
from yiwang.kernel.feel.builtins import NAMES
from yiwang.kernel.feel.values import text as shown

WATCHED = (
    "open",
    "socket.",
    "subprocess.",
    "os.",
    "exec",
    "compile",
    "import",
    "ctypes.",
    "shutil.",
    "urllib.",
)
heard = []
listening = False


def _hear(event, _arguments):
    if listening and event.startswith(WATCHED):
        heard.append(event)


sys.addaudithook(_hear)


class Secret:
    """Something of the caller's that must not be got at."""

    token = "geheim"

    def __call__(self):
        return self


CONTEXT = {
    "x": Decimal(3),
    "s": "文本 text",
    "d": date(2026, 11, 25),
    "t": datetime(2026, 11, 25, 8, 30),
    "u": time(8, 30),
    "p": timedelta(days=3),
    "l": [Decimal(1), "a", None, {"a": Decimal(2)}],
    "c": {"a": Decimal(1), "b": {"c": "x"}},
    "secret": Secret(),
    "f": lambda n: n,
}
FOREIGN = [
    "__class__",
    "__globals__",
    "__init__",
    "mro",
    "token",
    "real",
    "year",
    "func_globals",
    "_run",
    "code",
]
PYTHON = ["open", "eval", "exec", "__import__", "os", "sys", "getattr", "type", "print", "globals", "compile"]
PLACES = ['"/etc/passwd"', '"file:///etc/passwd"', '"http://127.0.0.1:9/"', '"../../x"', '"os.system"']
ATOMS = st.sampled_from(
    [*CONTEXT, *PYTHON, *PLACES, "1", '"a"', "null", "true", "[1, 2]", '{a: 1, "__class__": 2}', "@\"2026-01-01\"",
     "function(a) a", 'function(a) external {java: {class: "java.lang.Runtime"}}',
     'function(a) external {java: {class: "java.lang.Math", method signature: "cos(double)"}}']
)  # fmt: skip
NAMED = st.sampled_from([*sorted(NAMES), *PYTHON, "secret", "f", "function"])
TEXTS = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds("{}.{}".format, inner, st.sampled_from(FOREIGN))
        | st.builds("{}({})".format, NAMED, st.lists(inner, max_size=3).map(", ".join))
        | st.builds("({}){}({})".format, inner, st.just(""), inner)
        | st.builds("{}[{}]".format, inner, inner)
        | st.builds("{} + {}".format, inner, inner)
        | st.builds("for i in {} return {}".format, inner, inner)
        | st.builds("if {} then {} else {}".format, inner, inner, inner)
        | st.builds("{{a: {}, b: a.{}}}".format, inner, st.sampled_from(FOREIGN))
        | st.builds('get value({}, "{}")'.format, inner, st.sampled_from(FOREIGN))
    ),
    max_leaves=6,
)


def only_feel(value, depth=0):
    """Whether a value and all in it can be written in FEEL; a function is a value, but has no Python in reach."""
    if isinstance(value, list):
        return all(only_feel(one, depth + 1) for one in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) and only_feel(one, depth + 1) for k, one in value.items())
    if type(value).__module__.startswith("yiwang.kernel.feel") or callable(value):
        return not isinstance(value, Secret)
    return value is None or isinstance(value, (bool, Decimal, str, date, time, datetime, timedelta))


@settings(max_examples=600, deadline=None)
@given(TEXTS, st.booleans())
def test_nothing_outside_is_reached(text, as_test):
    global listening
    try:
        parsed = parse_unary(text) if as_test else parse(text)
    except FeelSyntaxError:
        return
    heard.clear()
    listening = True
    try:
        value = parsed.evaluate(Decimal(3), CONTEXT) if as_test else parsed.evaluate(CONTEXT)
    finally:
        listening = False
    assert [event for event in heard if event != "import"] == [], (text, heard)
    assert only_feel(value), (text, value)
    assert "geheim" not in (shown(value) if isinstance(value, str) else "")


@pytest.mark.parametrize(
    "name", ["secret.token", "secret.__class__", "s.__class__", "x.real", "f.__globals__", "c.__len__"]
)
def test_attributes_of_python_are_no_members(name):
    assert parse(name).evaluate(CONTEXT) is None


def test_code_outside_is_never_run():
    text = '(function(a) external {java: {class: "java.lang.Math", method signature: "cos(double)"}})(1)'
    value, reasons = parse(text).explain({})
    assert value is None and reasons
