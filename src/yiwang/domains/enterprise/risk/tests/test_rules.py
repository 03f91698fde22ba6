"""The points table: scalar and SQL agree; nothing good comes from more records; time and repair act by themselves."""

from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yiwang.domains.enterprise.risk.contracts import Record
from yiwang.domains.enterprise.risk.evaluations import delivered, parts
from yiwang.domains.enterprise.risk.lint import lint
from yiwang.domains.enterprise.risk.rules import as_day, grade, is_subject, joined, key_of, next_changes
from yiwang.domains.enterprise.risk.sql import statement
from yiwang.engines.hub.contracts import Type
from yiwang.kernel.packs.contracts import Pack

from .worlds import CODES, LIBRARY, TABLE, TODAY, of, records, worlds

STARTS = {i.since for i in TABLE.indicators}
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
OLD = {"uscc": "E1", "kind": "1100", "status": "1", "opened_on": date(2015, 1, 1), "industry": "F52"}
DUCK = {Type.INT: "bigint", Type.DECIMAL: "decimal(18, 6)", Type.DATE: "date", Type.DATETIME: "timestamp"}


def penalty(no, day, kind="02", **more):
    return Record(
        "penalties",
        {"decision_no": no, "uscc": "E1", "kind": kind, "procedure": "2", "decided_on": day, **more},
    )


def database(subjects, by_dataset, disputed, repairs):
    con = duckdb.connect()
    for d in TABLE.datasets.values():
        columns = ", ".join(f"{f.id} {DUCK.get(f.type, 'varchar')}" for f in d.fields)
        con.execute(f'create table "{d.id}" ({columns})')
        marks = ", ".join("?" * len(d.fields))
        for r in [*subjects.values()] if d.id == TABLE.subjects.id else by_dataset.get(d.id, []):
            con.execute(f'insert into "{d.id}" values ({marks})', [r.get(f.id) for f in d.fields])
    con.execute("create table disputed (dataset varchar, key varchar)")
    con.execute("create table repairs (uscc varchar, space varchar, event varchar, on_day date)")
    for row in disputed:
        con.execute("insert into disputed values (?, ?)", row)
    for whose, (space, event), day in repairs:
        con.execute("insert into repairs values (?, ?, ?, ?)", [whose, space, event, day])
    return con


def told(world):
    """Disputes and repairs of a world as the rules take them."""
    _subjects, _rows, chosen, repaired = world
    disputed = {(id, key_of(TABLE.datasets[id], v)) for id, v in chosen}
    repairs = []
    for (id, v), n in repaired:
        i = next((i for i in TABLE.indicators if i.dataset == id), None)
        if i is not None:
            whose = CODES[0] if n % 5 == 0 else v["uscc"]  # some name somebody else by mistake
            repairs.append((whose, (i.space, joined(i.event, v)), TODAY + timedelta(days=n)))
    return disputed, repairs


@SLOW
@given(worlds())
def test_one_by_one_and_all_at_once_agree(world):
    subjects, rows, _c, _r = world
    disputed, repairs = told(world)
    soonest = {code: {} for code in CODES}
    for whose, at, day in repairs:
        own = soonest.setdefault(whose, {})
        own[at] = min(day, own.get(at, day))
    con = database(subjects, rows, disputed, repairs)
    for disputes, mended in ((True, True), (False, False)):
        found = {r[0]: r[1:] for r in con.execute(statement(TABLE, TODAY, disputes, mended)).fetchall()}
        expected = {}
        for code in CODES:
            if is_subject(TABLE, subjects[code], TODAY):
                g = grade(
                    TABLE, subjects[code], of(code, subjects, rows), TODAY,
                    disputed if disputes else (), soonest[code] if mended else {},
                )  # fmt: skip
                expected[code] = (g.id, g.total, *g.sums)
        assert found == expected


@SLOW
@given(worlds(), st.data())
def test_a_record_more_never_lowers_the_total_and_a_dispute_never_raises_it(world, data):
    subjects, rows, _c, _r = world
    disputed, _repairs = told(world)
    have = of("E1", subjects, rows)
    dataset = data.draw(st.sampled_from([d for d in TABLE.datasets.values() if d.id != TABLE.subjects.id]))
    more = data.draw(records(dataset, codes=("E1",)))
    one = grade(TABLE, subjects["E1"], have, TODAY)
    two = grade(
        TABLE,
        subjects["E1"],
        [*have, *(Record(dataset.id, {**v, "n": n}) for n, v in enumerate(more))],
        TODAY,
    )
    assert two.total >= one.total
    assert grade(TABLE, subjects["E1"], have, TODAY, disputed).total <= one.total


@SLOW
@given(worlds(), st.integers(0, 1200))
def test_time_alone_never_raises_and_says_beforehand_what_it_will_do(world, days):
    subjects, rows, _c, _r = world
    past = TODAY - timedelta(days=40)  # nothing lies later than that but what time has not reached yet
    have = [
        r for r in of("E1", subjects, rows)
        if all((as_day(v) or past) <= past for k, v in r.values.items() if k in STARTS)
        and r.dataset != "complaints"
    ]  # fmt: skip
    now = grade(TABLE, subjects["E1"], have, past)
    later = past + timedelta(days=days)
    assert grade(TABLE, subjects["E1"], have, later).total <= now.total
    by_then = [total for day, _c, total in next_changes(now, TABLE, past) if day <= later]
    assert grade(TABLE, subjects["E1"], have, later).total >= min(by_then, default=now.total)


@SLOW
@given(worlds())
def test_the_evaluations_apart_add_up_to_the_total_and_keep_every_point(world):
    subjects, rows, _c, _r = world
    found = grade(TABLE, subjects["E1"], of("E1", subjects, rows), TODAY, told(world)[0])
    apart = parts(TABLE, found)
    assert sum(p.subtotal for p in apart) == found.total
    assert sorted(map(id, (q for p in apart for q in p.found))) == sorted(map(id, found.points))
    for p in apart:
        assert p.points * p.evaluation.weight == p.subtotal and all(g.counted <= g.cap for g in p.groups)
        if p.evaluation.delivered:  # results of others, and nothing else
            assert {q.indicator.dataset for q in p.found} <= set(delivered(TABLE, p.evaluation))


def result(dataset, level, until=None, since=date(2026, 3, 31)):
    values = {"uscc": "E1", "evaluator": "x", "industry": "H62", "grade": level, "evaluated_on": since}
    return Record(dataset, {**values, "valid_until": until})


def test_results_of_others_count_in_their_own_evaluation_until_they_expire():
    have = [result("public_credit", "4", date(2027, 3, 31)), result("industry_credit", "D")]
    found = grade(TABLE, OLD, have, TODAY)
    assert [p.subtotal for p in parts(TABLE, found)] == [0, 3000, 2000] and found.id == "C"
    assert grade(TABLE, OLD, [*have, penalty("a", TODAY, fine=20)], TODAY).id == "D"
    assert [p.until for p in found.points] == [date(2027, 3, 31), None]
    later = grade(TABLE, OLD, have, date(2027, 3, 31))
    assert [p.subtotal for p in parts(TABLE, later)] == [0, 0, 2000]
    assert grade(TABLE, OLD, [result("public_credit", "1"), result("industry_credit", "A")], TODAY).total == 0


def test_the_same_day_replays_to_the_same_class_with_the_same_reasons():
    have = [penalty("a", date(2026, 3, 1)), penalty("b", date(2025, 1, 1))]
    assert grade(TABLE, OLD, have, date(2026, 6, 1)) == grade(TABLE, OLD, iter(have), date(2026, 6, 1))


@pytest.mark.parametrize(
    ("kind", "fine", "last"), [("01", None, 90), ("02", None, 365), ("02", 12, 1095), ("03", None, 1095)]
)
def test_a_penalty_ends_by_itself_with_its_seriousness(kind, fine, last):
    day = date(2023, 1, 1)
    have = [penalty("a", day, kind, fine=fine)]
    assert grade(TABLE, OLD, have, day + timedelta(days=last - 1)).total > 0
    assert grade(TABLE, OLD, have, day + timedelta(days=last)).total == 0


def test_repair_acts_no_sooner_than_the_shortest_term():
    day = date(2026, 1, 1)
    have, repairs = [penalty("a", day)], {("penalties", "a"): date(2026, 2, 1)}
    assert grade(TABLE, OLD, have, date(2026, 3, 31), repairs=repairs).total > 0
    mended = grade(TABLE, OLD, have, date(2026, 4, 1), repairs=repairs)
    assert mended.total == 0 and mended.points[0].state == "repaired"


def test_one_decision_counts_once_however_many_indicators_it_meets():
    (point, *rest) = sorted(
        grade(TABLE, OLD, [penalty("a", TODAY, fine=20)], TODAY).points, key=lambda p: not p.counts
    )
    assert point.indicator.id == "penalty_large_fine" and [p.state for p in rest] == ["same"]


@pytest.mark.parametrize(
    ("kind", "fine", "id", "article"),
    [
        ("02", 12, "penalty_large_fine", "第九条第二项"), ("02", 1, "penalty_general", "第九条第二项"),
        ("03", None, "penalty_closure", "第九条第三项、第四项"), ("04", 12, "penalty_closure", "第九条第三项、第四项"),
        ("06", None, "penalty_other", "第九条第六项"),
    ],
)  # fmt: skip
def test_a_penalty_is_shown_by_what_it_is_with_its_own_article(kind, fine, id, article):
    found = grade(TABLE, OLD, [penalty("a", TODAY, kind, fine=fine)], TODAY)
    (point,) = (p.indicator for p in found.points if p.counts)
    assert point.id == id and article in point.basis


def test_a_disputed_record_is_frozen():
    found = grade(TABLE, OLD, [penalty("a", TODAY)], TODAY, {("penalties", "a")})
    assert found.total == 0 and found.points[0].state == "disputed"


def test_a_new_enterprise_is_not_rated_and_a_household_is_no_subject():
    young = {**OLD, "opened_on": TODAY - timedelta(days=30)}
    assert grade(TABLE, young, [penalty("a", TODAY)], TODAY).id == ""
    assert not is_subject(TABLE, {**OLD, "kind": "9500"}, TODAY)
    assert grade(TABLE, OLD, [], TODAY).id == "A"


def changed(path, value):
    pack = LIBRARY.get("risk_points", "enterprise")
    data = {**pack.data, "indicators": [dict(i) for i in pack.data["indicators"]]}
    at = data
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return list(
        lint(LIBRARY.with_packs([Pack(pack.kind, pack.id, 2, pack.name, data, pack.file, pack.lines)]))
    )


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("indicators", 0, "when"), 'legal_name = "x"', "个人信息"),
        (("indicators", 0, "dataset"), "nowhere", "不存在"),
        (("indicators", 6, "group"), "social", "不在同一评价"),
        (("indicators", 6, "days"), 400, "长于"),
        (("indicators", 0, "when"), "status +", "条件"),
        (("evaluations",), [], "100"),
    ],
)
def test_the_check_of_packs_says_what_is_wrong(path, value, says):
    assert list(lint(LIBRARY)) == []
    assert any(says in p.what for p in changed(path, value))
