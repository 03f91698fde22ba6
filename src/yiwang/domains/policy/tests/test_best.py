"""The best combination against trying every subset; search in plain words."""

from decimal import Decimal
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from yiwang.domains.policy.best import best, clashes
from yiwang.domains.policy.find import search, understood

NAMES = "abcdefghi"


@st.composite
def choices(draw):
    amounts = draw(st.dictionaries(st.sampled_from(NAMES), st.integers(0, 50).map(Decimal), max_size=9))
    pairs = draw(st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=14))
    excluded = {name: {} for name in NAMES}
    for one, other in pairs:
        if one != other:
            excluded[one][other] = excluded[other][one] = "why"
    return amounts, excluded


@given(choices())
def test_no_subset_is_worth_more(choice):
    amounts, excluded = choice
    top = Decimal(0)
    for size in range(len(amounts) + 1):
        for some in combinations(amounts, size):
            if not any(b in excluded[a] for a, b in combinations(some, 2)):
                top = max(top, sum((amounts[k] for k in some), Decimal(0)))
    found = best(amounts, excluded)
    assert found.exact
    assert found.total == top == sum((amounts[k] for k in found.chosen), Decimal(0))
    assert not any(b in excluded[a] for a, b in combinations(found.chosen, 2))
    assert all(why in found.chosen for why in found.left.values())


def test_a_group_and_a_pair_exclude_both_ways_with_the_reason():
    found = clashes(
        [
            {"id": "a", "group": "g"},
            {"id": "b", "group": "g"},
            {"id": "c", "exclusive": [{"with": "a", "why": "第七条"}]},
        ]
    )
    assert found["a"] == {"c": "第七条", "b": "「g」只能享受一项"}
    assert found["c"] == {"a": "第七条"}


FILTERS = [
    {"id": "small", "tags": ["小微"], "words": ["小微"]},
    {"id": "hire", "tags": ["招人"], "words": ["招人", "招工"]},
]


def policy(name, *tags):
    return {
        "id": name,
        "name": name,
        "summary": "s",
        "topic": "就业",
        "level": "省级",
        "mode": "免申即享",
        "tags": list(tags),
        "issuer": {"function": "人社"},
        "document": {"title": "t", "number": "n"},
        "benefit": {"text": "b"},
        "conditions": [],
    }


def test_plain_words_find_what_fits_best_first():
    both, one, none = policy("扩岗", "小微", "招人"), policy("租金", "小微"), policy("出口补助", "出口")
    assert understood("我是小微企业，想招工", FILTERS) == ["small", "hire"]
    assert search([none, one, both], "我是小微企业，想招工", [], FILTERS) == [both, one]
    assert search([none, one, both], "出口", [], FILTERS) == [none]
    assert search([none, one, both], "", ["hire"], FILTERS) == [both]
