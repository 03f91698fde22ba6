"""What a delivery says and what it does not say, on datasets of the test's own: in PostgreSQL and in the lake."""

import io
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import pytest
from deliveries import code, fresh, moment, owner, serial
from django.utils import timezone

from yiwang.domains.enterprise import bulk
from yiwang.engines.hub import actions, collect, history, lake, published
from yiwang.engines.hub.contracts import Dataset, Field, Mode, Type
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.orgs.queries import responsible

FIELDS = (
    Field("no", "编号", Type.STRING, required=True),
    Field("uscc", "代码", Type.USCC),
    Field("name", "名称", Type.STRING, required=True),
    Field("fine", "金额", Type.DECIMAL, scale=2),
    Field("until", "截止", Type.DATE),
    Field("seen_at", "时刻", Type.DATETIME),
    Field("since", "生效", Type.DATE, required=True),
    Field("revoked", "是否撤销", Type.STRING, pattern="是|否"),
)
HEAD = ",".join(f.name for f in FIELDS) + "\n"
TODAY = date(2026, 11, 30)


def contract(fields=FIELDS, **over) -> Dataset:
    made = Dataset(
        id=f"own_{next(serial)}", name="自用", version=1, department="自用", fields=fields, key=("no",),
        valid_from="since", subject_entity="ent", subject_field="uscc", withdrawal_field="revoked",
        withdrawal_values=frozenset({"是"}), by_id={f.id: f for f in fields},
    )  # fmt: skip
    return replace(made, **over)


def newer(dataset, fields):
    return replace(dataset, version=dataset.version + 1, fields=fields, by_id={f.id: f for f in fields})


@pytest.fixture
def collected(monkeypatch):
    """``collected(dataset, text, day, mode, office)`` → a delivery that this process loaded; packs know nothing of it."""
    made, contracts = set(), {}
    monkeypatch.setattr(collect.datasets, "of_release", lambda _release, id: contracts[id])
    monkeypatch.setattr(published, "emit_on", lambda *_args: None)
    con = collect.connect()

    def take(dataset, text, day, mode=Mode.CHANGE, office=None):
        if dataset.id not in made:
            made.add(dataset.id)
            con.execute("select pg_advisory_lock(hashtext('yiwang hub'), hashtext(%s))", [dataset.id])
        content = text if isinstance(text, bytes) else text.encode()
        with acting(SYSTEM):
            return actions.receive(
                SYSTEM, dataset, "t.csv", io.BytesIO(content), len(content), moment(day), mode, "system",
                office=office,
            )  # fmt: skip

    def load(dataset, delivery):
        contracts[dataset.id] = dataset
        with acting(SYSTEM):
            collect.load(con, delivery)
        return fresh(delivery)

    def collected(dataset, *args, **named):
        return load(dataset, take(dataset, *args, **named))

    collected.take, collected.load = take, load
    yield collected
    for id in made:
        con.execute(f"drop view if exists hub.{id}_versions")
        con.execute(f"drop table if exists hub.{id}, hub.{id}_hist")
        con.execute("delete from hub_holding where dataset = %s", [id])
    con.close()


def now_in_tables(dataset):
    """Every current record as PostgreSQL has it: number → its values."""
    listed = ", ".join(f'"{f.id}"' for f in dataset.fields)
    with owner() as con:
        found = con.execute(f"select {listed} from hub.{dataset.id} where not _withdrawn").fetchall()
    return {row[0]: row for row in found}


def on_day(dataset, day):
    """Every record as it was on a day by all that is known, from the versions in PostgreSQL."""
    with owner() as con:
        cursor = con.execute(f"select * from hub.{dataset.id}_versions")
        names = [c.name for c in cursor.description]
        versions = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    found = {}
    for no in {v["no"] for v in versions}:
        told = history.pick([v for v in versions if v["no"] == no], timezone.now() + timedelta(days=1), day)
        if told and not told["_withdrawn"]:
            found[no] = tuple(told[f.id] for f in dataset.fields)
    return found


def in_lake(dataset, day=TODAY):
    """Every record as it was on a day, as the grading of all enterprises reads it."""
    db = duckdb.connect()
    listed = ", ".join(f'"{f.id}"' for f in dataset.fields)
    with owner() as con:
        bulk.relation(db, con, dataset, day, "infinity", collect.lake_root())
        found = db.execute(f"select {listed} from {dataset.id}").fetchall()
    return {row[0]: row for row in found}


def agreed(dataset, *days):
    """The records of today, the same in the table, in its versions and in the lake; on other days in the last two."""
    held = now_in_tables(dataset)
    assert held == on_day(dataset, TODAY) == in_lake(dataset)
    for day in days:
        assert on_day(dataset, day) == in_lake(dataset, day)
    return held


def line(no, uscc="", name="甲", fine="", until="", at="", since="2026-01-05", revoked=""):
    return f"{no},{uscc},{name},{fine},{until},{at},{since},{revoked}\n"


# ---- columns that a file does not have


def test_a_file_without_the_column_of_revocation_revives_nothing(collected):
    dataset = contract()
    collected(dataset, HEAD + line("1") + line("2", revoked="否"), "03-01")
    collected(dataset, HEAD + line("1", revoked="是"), "03-02")
    without = collected(
        dataset, "编号,名称,生效\n1,改名,2026-01-05\n2,改名,2026-01-05\n3,新,2026-01-05\n", "03-03"
    )
    assert without.state == "loaded", without.error
    held = agreed(dataset)
    assert set(held) == {"2", "3"} and held["2"][2] == "改名"
    with owner() as con:
        told = con.execute(
            f"select name, revoked, _withdrawn from hub.{dataset.id} where no = '1'"
        ).fetchone()
    assert told == ("改名", "是", True)
    # One that a whole delivery did not have was not revoked: whoever has it again brings it back.
    collected(dataset, HEAD + line("2") + line("1", revoked="是"), "03-04", Mode.FULL)
    assert set(agreed(dataset)) == {"2"}
    collected(dataset, "编号,名称,生效\n3,又来,2026-01-05\n", "03-05")
    assert set(agreed(dataset)) == {"2", "3"}


def test_a_column_that_is_not_there_stays_as_it_was_in_the_lake_too(collected):
    dataset, one, two = contract(), code(), code()
    full = line("1", one, "甲", "1.50", "2027-01-01", "2026-01-05 08:30", revoked="否")
    odd = line("2", two, '"说""引号"", 逗号\\N"', "20", "2027-02-02")
    collected(dataset, HEAD + full + odd, "03-01")
    few = collected(dataset, "编号,名称,生效\n1,乙,2026-02-05\n2,乙,2026-02-05\n9,新,2026-02-05\n", "03-05")
    assert (few.state, few.counts["changed"], few.counts["new"]) == ("loaded", 2, 1), few.error
    held = agreed(dataset, date(2026, 1, 20), date(2026, 2, 20))
    assert (held["1"][1], held["1"][2], str(held["1"][3]), held["1"][4]) == (
        one,
        "乙",
        "1.50",
        date(2027, 1, 1),
    )
    assert held["2"][1] == two and held["9"][1] is None
    # Late: it goes into the history, and the lake has it as the history does.
    late = collected(dataset, "编号,名称,代码,生效\n1,迟,,2026-02-01\n2,迟,,2026-02-01\n", "03-03")
    assert late.counts["late"] == 2
    assert agreed(dataset, date(2026, 1, 20), date(2026, 2, 2), date(2026, 2, 4), date(2026, 2, 20)) == held
    assert in_lake(dataset, date(2026, 2, 2))["1"][2:5] == ("迟", held["1"][3], date(2027, 1, 1))
    (version,) = lake.folder(collect.lake_root(), dataset.id, few.seq).glob("*.parquet")
    assert fresh(few).lake_version is not None and duckdb.sql(f"select * from '{version}'").fetchall()


# ---- whole deliveries


def test_what_a_late_delivery_has_and_a_later_whole_one_had_not_is_ended(collected):
    dataset = contract()
    collected(dataset, HEAD + line("1") + line("2"), "03-10", Mode.FULL)
    late = collected(dataset, HEAD + line("1") + line("2") + line("3") + line("4"), "02-10", Mode.FULL)
    assert (late.state, late.counts["new"], late.counts["late"]) == ("loaded", 0, 2), late.error
    assert set(agreed(dataset)) == {"1", "2"}
    before, after = date(2026, 2, 20), date(2026, 3, 20)
    assert set(on_day(dataset, before)) == {"1", "2", "3", "4"} == set(in_lake(dataset, before))
    assert set(on_day(dataset, after)) == {"1", "2"} == set(in_lake(dataset, after))
    # It ended with the first whole delivery after it, and whoever says it again later brings it back.
    collected(dataset, HEAD + line("1") + line("2") + line("5"), "01-10")
    with owner() as con:
        ended = con.execute(f"select _valid_from from hub.{dataset.id} where no = '5'").fetchone()
        with con.cursor() as cursor:
            known = cursor.execute(
                f"select _sys_from >= %s from hub.{dataset.id}_versions where no = '3'", [late.received_at]
            ).fetchall()
    assert ended == (date(2026, 2, 10),)
    assert known == [(True,), (True,)]  # nothing was known of it before
    collected(dataset, HEAD + line("3"), "03-11")
    assert set(agreed(dataset, before, after)) == {"1", "2", "3"}


def test_a_whole_delivery_ends_only_what_lies_in_its_territory(collected):
    region = Field("region", "区划", Type.REGION, required=True)
    dataset = contract((*FIELDS, region), territory="region")
    head = HEAD.strip() + ",区划\n"

    def at(no, where):
        return line(no).strip() + f",{where}\n"

    with acting(SYSTEM):
        county = responsible("市场监管", "370113")
    collected(dataset, head + at("1", "370113") + at("2", "370115"), "03-01")
    whole = collected(dataset, head + at("1", "370113"), "03-10", Mode.FULL, county)
    assert (whole.state, whole.counts["withdrawn"]) == ("loaded", 0), whole.error
    late = collected(dataset, head + at("3", "370113") + at("4", "370115"), "02-10")
    assert (late.counts["new"], late.counts["late"]) == (1, 1)
    assert set(agreed(dataset, date(2026, 2, 20))) == {"1", "2", "4"}
    assert set(in_lake(dataset, date(2026, 2, 20))) == {"1", "2", "3", "4"}


@pytest.mark.parametrize("how", ["cut off", "a wrong digit in a key"])
def test_a_broken_whole_withdraws_nothing_and_says_so(collected, how):
    keyed = tuple(replace(f, required=True) if f.id == "uscc" else f for f in FIELDS)
    dataset = contract(keyed, key=("uscc",))
    codes = [code() for _ in range(6)]
    lines = [line(str(n), c) for n, c in enumerate(codes)]
    collected(dataset, HEAD + "".join(lines), "03-01", Mode.FULL)
    if how == "cut off":
        text = (HEAD + "".join(lines[:5]))[:-20]
    else:
        wrong = codes[5][:-1] + ("A" if codes[5][-1] != "A" else "B")
        text = HEAD + "".join(lines[:5]) + line("5", wrong)
    broken = collected(dataset, text, "03-02", Mode.FULL)
    assert (broken.state, broken.counts["withdrawn"]) == ("loaded", 0), broken.error
    told = [m for m in broken.messages if "没有撤回" in m["what"]]
    assert len(told) == 1 and "重报" in told[0]["remedy"]
    assert len(agreed(dataset)) == 6
    # It is no witness of an end either.
    extra = code()
    assert collected(dataset, HEAD + line("7", extra), "03-01").counts["new"] == 1
    # Mended and sent again, it withdraws.
    mended = collected(dataset, HEAD + "".join(lines[:5]) + line("7", extra), "03-03", Mode.FULL)
    assert mended.counts["withdrawn"] == 1
    assert len(agreed(dataset)) == 6


# ---- versions of a contract


def test_a_delivery_under_an_older_contract_loses_nothing_of_a_newer_one(collected):
    one = contract()
    note = Field("note", "备注", Type.STRING)
    two = newer(one, (*FIELDS, note))
    head = HEAD.strip() + ",备注\n"

    def noted(no, text, **over):
        return line(no, **over).strip() + f",{text}\n"

    collected(one, HEAD + line("1") + line("2"), "03-01")
    begun = collected.take(one, HEAD + line("1", name="改") + line("3"), "03-03")
    collected(two, head + noted("1", "记一") + noted("2", "记二"), "03-02")
    done = collected.load(one, begun)
    assert (done.state, done.contract_version, done.counts["changed"]) == ("loaded", 1, 1), done.error
    assert {no: (row[2], row[-1]) for no, row in agreed(two).items()} == {
        "1": ("改", "记一"), "2": ("甲", "记二"), "3": ("甲", None)
    }  # fmt: skip
    with owner() as con:
        replaced = con.execute(
            f"select note from hub.{one.id}_hist where no = '1' order by _delivery"
        ).fetchall()
        held = con.execute("select contract_version from hub_holding where dataset = %s", [one.id]).fetchone()
    assert replaced == [(None,), ("记一",)] and held == (2,)
    late = collected(one, HEAD + line("2", name="迟", since="2026-01-01"), "02-01")
    assert late.counts["late"] == 1
    agreed(two, date(2026, 1, 3), date(2026, 1, 10))


def test_a_field_that_a_newer_contract_drops_stays_known(collected):
    one = contract()
    two = newer(one, tuple(f for f in FIELDS if f.id != "fine"))
    head = ",".join(f.name for f in two.fields) + "\n"
    collected(one, HEAD + line("1", fine="12.50"), "03-01")
    collected(two, head + "1,,改,,,2026-01-05,\n", "03-02")
    collected(two, head + "1,,再改,,,2026-01-05,\n", "03-03")
    with owner() as con:
        told = con.execute(f"select name, fine from hub.{one.id}_versions order by _as_of").fetchall()
    assert [(name, str(fine)) for name, fine in told] == [("甲", "12.50"), ("改", "12.50"), ("再改", "12.50")]
    agreed(one)
    agreed(two)
