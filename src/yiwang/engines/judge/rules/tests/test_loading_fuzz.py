"""Whatever stands in a policy, loading gives a policy or says what is wrong; nothing else is raised."""

from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.engines.judge.rules import Judge, NotARule, load_fields, load_policy

FIELDS = load_fields({"n": {"type": "number"}, "s": {"type": "string"}, "d": {"type": "date"}})
FRAGMENTS = [
    *(
        "?",
        "n",
        "s",
        "1",
        "-1",
        '"a"',
        "null",
        "(",
        ")",
        "[",
        "]",
        "..",
        ",",
        "<",
        ">=",
        "not(",
        "and",
        "or",
        "in",
    ),
    *('starts with(?, "a")', "today", "1e30", "/ 0", "true", "{a: 1}", "function(x) x", '@"2026-01-01"'),
    *(
        "for i in 1..9 return i",
        'date and time("2026-01-01T00:00:00")',
        "list contains([1], ?)",
        "between 1 and 2",
    ),
]
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=6).map(" ".join) | st.text(max_size=20)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
whens = st.dictionaries(st.sampled_from(["n", "s", "d", "x"]), texts | anything, max_size=3)


def refusals(load, *given_to):
    """What `load` gives, or None after checking that its refusal tells place, fault and remedy."""
    try:
        return load(*given_to)
    except NotARule as refused:
        problems = refused.problems
    assert problems
    assert all(problem.where and problem.what and problem.remedy for problem in problems)
    return None


@settings(max_examples=400, deadline=None)
@given(whens, anything)
def test_loading_refuses_or_gives_a_policy_that_can_be_judged(when, other):
    raw = {"id": "p", "name": "n", "rules": [{"id": "r", "when": when}], "exclusions": [other]}
    policy = refusals(load_policy, raw, FIELDS)
    if policy is None:
        return
    assert policy.scalar_only() is not None
    for row in ({}, {"n": 1, "s": "a"}, {"n": "x", "s": 5, "d": object()}):
        assert Judge([policy], FIELDS).explain(row)[0].word


keys = st.sampled_from(["id", "name", "rules", "effective", "params", "hit_policy", "exclusions"])


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(keys, anything))
def test_a_malformed_policy_is_refused(raw):
    refusals(load_policy, raw, FIELDS)


declared = st.fixed_dictionaries({"type": st.just("number"), "derive": texts}, optional={"values": anything})


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(texts, anything | declared, max_size=3))
def test_malformed_fields_are_refused(raw):
    refusals(load_fields, raw)
