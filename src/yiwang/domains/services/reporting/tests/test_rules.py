"""What keeps a row from being reported, on rows made wrong one way at a time."""

import pytest

from yiwang.domains.services.reporting.rules import faults_of

ELEMENTS = [
    {"key": "number", "name": "办件编号", "required": True, "pattern": "[A-Z0-9-]{8,40}"},
    {"key": "filed_at", "name": "申请时间", "required": True},
    {"key": "accepted_at", "name": "受理时间", "not_before": "filed_at", "required_if": "decided_at"},
    {"key": "decided_at", "name": "决定时间", "not_before": "accepted_at"},
    {"key": "result", "name": "办理结果", "codes": ["准予", "不予"]},
]
GOOD = {
    "number": "370102-20261125-000001",
    "filed_at": "2026-11-25 09:00:00",
    "accepted_at": "2026-11-25 09:00:00",
    "decided_at": "2026-11-26 08:00:00",
    "result": "准予",
}


def test_a_good_row_passes():
    assert list(faults_of(GOOD, ELEMENTS)) == []
    assert list(faults_of({"number": GOOD["number"], "filed_at": GOOD["filed_at"]}, ELEMENTS)) == []


@pytest.mark.parametrize(
    ("change", "element", "what"),
    [
        ({"number": ""}, "办件编号", "是空的"),
        ({"number": "37 01"}, "办件编号", "不合"),
        ({"accepted_at": ""}, "受理时间", "“决定时间”有值"),
        ({"decided_at": "2026-11-24 08:00:00"}, "决定时间", "早于“受理时间”"),
        ({"result": "通过"}, "办理结果", "准予、不予"),
    ],
)
def test_a_wrong_cell_is_named_with_its_value(change, element, what):
    (fault,) = faults_of({**GOOD, **change}, ELEMENTS)
    assert fault.element == element and what in str(fault)
    assert next(iter(change.values())) in str(fault)
