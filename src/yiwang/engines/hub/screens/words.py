"""Conditions on rows as people read them."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yiwang.engines.hub.contracts import Dataset, Type
from yiwang.engines.hub.sharing.contracts import TODAY, Test
from yiwang.engines.hub.words import code_said

TESTS = {
    Test.IS: gettext_lazy("是"),
    Test.STARTS: gettext_lazy("开头是"),
    Test.FROM: gettext_lazy("不早于 / 不小于"),
    Test.TO: gettext_lazy("不晚于 / 不大于"),
}


def in_words(one, dataset: Dataset | None) -> list[str]:
    """The conditions of a request or grant, codes with their names; then what the contract limits for everybody."""
    if dataset is None:
        return [f"{r['field']} {TESTS[Test(r['test'])]} {r['value']}" for r in one.rows]
    asked = [_condition(dataset, r["field"], r["test"], r["value"]) for r in one.rows]
    return asked + [_("%(limit)s（来源的规定）") % {"limit": told} for told in limits_in_words(dataset)]


def _condition(dataset: Dataset, field: str, test: str, value: str) -> str:
    spec = dataset.by_id.get(field)
    words = TESTS[Test(test)]
    if spec and test in (Test.FROM, Test.TO):  # a day is early or late, a number small or large
        words = str(words).split(" / ")[0 if spec.type in (Type.DATE, Type.DATETIME) else 1]
    return f"{spec.name if spec else field} {words} {code_said(dataset, field, value)}"


def limits_in_words(dataset: Dataset) -> list[str]:
    """Which records the contract gives out at all."""
    told = []
    for limit in dataset.limits:
        value = _("取数当天") if limit.value == TODAY else limit.value
        words = _condition(dataset, limit.field, limit.test, value)
        told.append(_("%(words)s，或没有填") % {"words": words} if limit.or_missing else words)
    return told
