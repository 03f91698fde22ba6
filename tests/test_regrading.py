"""Classes and names follow every delivery, large, small or repeated, whatever else goes wrong meanwhile."""

import random
from datetime import date, timedelta

import pytest
from deliveries import HEADER, code, give, moment, owner, row
from django.utils import timezone
from product import PRODUCT, until
from psycopg.errors import UniqueViolation
from test_enterprise import PENALTY, penalise, stored
from test_portrait import PURPOSE, TODAY, firm
from test_pressing import matters

from yiwang.domains.enterprise import link_actions, names, regrading, replay, running, tables
from yiwang.domains.enterprise.bulk import grade_all
from yiwang.domains.enterprise.models import Link
from yiwang.domains.enterprise.risk.force import Standing, step
from yiwang.engines.hub import api as hub
from yiwang.engines.hub.contracts import Mode
from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.audit.models import AuditEvent
from yiwang.kernel.ids import new_id

SOCIAL = "统一社会信用代码,单位名称,险种,参保状态,欠缴月数,状态日期\n"


def noticed(uscc):
    with acting(SYSTEM):
        return AuditEvent.objects.filter(
            verb__in=("enterprise.noticed", "enterprise.unreached"), object_id=uscc
        ).count()


def found(text):
    with acting(SYSTEM):
        return [uscc for uscc, *_rest in names.search(text, PURPOSE)]


def as_it_was(uscc, grade="A"):
    """The class put back, as if the last change had not been noticed yet."""
    with owner() as con:
        con.execute(
            "update enterprise_grade set grade = %s, total = 0, sums = array_fill(0, array[cardinality(sums)]), "
            "in_force = %s, from_day = null where uscc = %s",
            [grade, grade, uscc],
        )


def test_who_is_to_hear_of_a_class_hears_of_it_though_the_handler_failed_afterwards():
    uscc = firm("失败重来验证有限公司")
    penalise(uscc, f"重来{uscc}1")
    penalise(uscc, f"重来{uscc}2", "03", "")
    until(lambda: stored(uscc)[0] == "D", 30)
    until(lambda: noticed(uscc) == 1, 30)
    as_it_was(uscc)

    def handler():
        with acting(SYSTEM):
            regrading.regrade(uscc, "delivery")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        handler()
    assert stored(uscc)[0] == "D"
    until(lambda: noticed(uscc) == 2, 30)
    with acting(SYSTEM):  # the handler comes again: it is no change any more, and nobody hears of it twice
        regrading.regrade(uscc, "delivery")
    assert noticed(uscc) == 2


def test_a_large_delivery_renames_and_a_late_one_does_not_name_back():
    uscc, others = code(), [code() for _ in range(hub.TOUCHED + 1)]
    give(HEADER + row(uscc, "旧名索引验证有限公司"), as_of=moment("03-02"))
    until(lambda: found("旧名索引验证") == [uscc], 60)
    text = HEADER + "".join(row(c, "大批改名示例") for c in others) + row(uscc, "新名索引验证有限公司")
    assert give(text, as_of=moment("03-04")).counts["new"] > hub.TOUCHED
    until(lambda: found("新名索引验证") == [uscc], 90)
    assert found("旧名索引验证") == [] and found(others[0]) == [others[0]]
    late = give(
        HEADER + row(uscc, "更旧名索引验证有限公司") + row(code(), "同批新户有限公司"), as_of=moment("03-03")
    )
    assert late.counts["late"] == 1
    until(lambda: found("同批新户"), 60)
    assert found("更旧名索引验证") == [] and found("新名索引验证") == [uscc]


def test_a_list_delivered_again_grades_the_few_that_differ():
    """A county sends its whole year again: many rows, of which one is different."""
    uscc, day = firm("整年重报验证有限公司"), TODAY - timedelta(days=4)

    def year(kind):
        others = "".join(
            f"年{n}{uscc},{code()},示例公司,01,1,示例,示例,示例,,{day},示例\n" for n in range(hub.TOUCHED + 1)
        )
        return f"{PENALTY}年{uscc},{uscc},整年重报,{kind},2,示例,示例,示例,1,{day},示例\n{others}"

    text = year("01")
    whole = give(text, "年.csv", "penalties")
    assert whole.counts["new"] == hub.TOUCHED + 2, (whole.state, whole.error, whole.messages)
    until(running.run, 60)  # the collector's own may be at it just now
    before = stored(uscc)[1]
    assert before > 0
    again = give(text.replace("整年重报,01", "整年重报,02"), "年.csv", "penalties")
    assert (again.counts["changed"], again.counts["new"]) == (1, 0)
    until(lambda: stored(uscc)[1] > before, 30)


def test_what_a_full_delivery_withdraws_no_longer_counts():
    uscc, rest = firm("全量撤回验证有限公司"), [code() for _ in range(200)]

    def whole(codes, on):
        text = SOCIAL + "".join(f"{c},示例,110,1,6,2026-01-01\n" for c in codes)
        return give(text, "保.csv", "social_insurance", moment(on), Mode.FULL)

    assert whole([uscc, *rest], "01-04").state == "loaded"
    until(lambda: stored(uscc)[1] > 0, 30)
    assert whole(rest, "01-05").counts["withdrawn"] == 1
    until(lambda: stored(uscc)[1] == 0, 30)


def test_a_struck_off_enterprise_had_its_class_until_then(become):
    uscc = firm("注销重放验证有限公司")
    credit = become("credit")

    def told(n):
        with acting(credit):
            return replay.replay(credit, uscc, PURPOSE, TODAY - timedelta(days=n)).stored

    with owner() as con:  # as one that the first run over all found, and long ago: it wrote no change
        con.execute("delete from enterprise_gradechange where uscc = %s", [uscc])
        con.execute(
            'update enterprise_grade set "on" = %s where uscc = %s', [TODAY - timedelta(days=20), uscc]
        )
        con.execute(
            'insert into enterprise_run ("on", began, ended, release, counts, seconds) '
            "select %s::date, %s, %s, release, '{}', '{}' from enterprise_run where ended is not null limit 1",
            [TODAY - timedelta(days=20)] * 3,
        )
    penalise(uscc, f"注销{uscc}1")
    penalise(uscc, f"注销{uscc}2", "03", "")
    until(lambda: stored(uscc)[0] == "D", 30)
    until(lambda: matters("enterprise.check", uscc=uscc), 30)  # somebody is to look
    ended = give(HEADER + row(uscc, status="4", approved=str(TODAY)))
    assert ended.state == "loaded", (ended.error, ended.messages)
    until(lambda: stored(uscc) is None, 30)
    assert told(0) is None
    assert told(5).grade == "A"
    until(
        lambda: all(m.closed_at for m in matters("enterprise.check", uscc=uscc)), 30
    )  # and need not any more
    give(HEADER + row(uscc, approved=str(TODAY), address="恢复登记后的住所"))
    until(lambda: stored(uscc), 30)
    assert told(0).grade == "D" and told(5).grade == "A"


def test_a_run_does_not_undo_what_was_graded_while_it_read():
    uscc, gone = firm("评时变化验证有限公司"), firm("评时注销验证有限公司")
    until(running.run, 60)
    table, release = tables.current(), replay.tables.packs.current_release()
    with owner() as con:
        ((change,),) = con.execute("select max(id) from enterprise_gradechange").fetchall()
        ((now,),) = con.execute("select clock_timestamp()").fetchall()
        known = running.Known(now, change)
        db = grade_all(con, table, TODAY, now, PRODUCT.var / "lake")
        penalise(uscc, f"评时{uscc}")
        give(HEADER + row(gone, status="4", approved=str(TODAY)))
        until(lambda: stored(uscc)[1] == 2000 and stored(gone) is None, 30)
        running._store(con, db, table, TODAY, release, known)
    assert stored(uscc)[1] == 2000 and stored(gone) is None


def test_what_a_run_writes_is_what_step_says_of_each():
    """Set by set against one after the other, in a transaction that is rolled back."""
    table, rng = tables.current(), random.Random(5)
    grades = ["", *(c.id for c in table.classes)]
    with owner() as con, con.transaction(force_rollback=True):
        con.execute(
            "create temp table graded (uscc varchar(18), grade varchar(1), total integer, sums integer[])"
        )
        wanted = {}
        for _ in range(400):
            uscc, grade = code(), rng.choice(grades)
            total = rng.choice((0, 1000))
            before = None
            if rng.random() < 0.8:
                waits = rng.choice((None, TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=3)))
                before = Standing(rng.choice(grades), rng.choice(grades), waits)
                con.execute(
                    'insert into enterprise_grade (uscc, grade, total, sums, "on", in_force, from_day) '
                    "values (%s, %s, 0, '{}', %s, %s, %s)",
                    [uscc, before.grade, date(2026, 1, 1), before.in_force, before.from_day],
                )
            con.execute("insert into graded values (%s, %s, %s, '{}')", [uscc, grade, total])
            same = before and (before.grade, 0) == (grade, total)
            if not same or (before.from_day and before.from_day <= TODAY):
                wanted[uscc] = step(table, before, grade, TODAY)
        known = running.Known(con.execute("select now()").fetchone()[0], 2**40)
        assert running._changed(con, table, TODAY, known) == len(wanted)
        told = con.execute("select uscc, grade, in_force, from_day from changed").fetchall()
    assert {uscc: Standing(*rest) for uscc, *rest in told} == wanted


def test_a_link_follows_what_its_record_says(become):
    """Accepted by a person; then the complaint is upheld, and then turns out to be about another enterprise."""
    one, two, no = code(), code(), f"随动{code()}"
    head = HEADER.strip() + ",联系电话\n"
    give(
        head
        + row(one, f"济南随动一{one[-4:]}酒店管理有限公司", address="随动路1号").strip() + ",0531-77110001\n"
        + row(two, f"济南随动二{two[-4:]}食品有限公司", address="随动路2号").strip() + ",0531-77110002\n"
    )  # fmt: skip
    until(lambda: stored(one) and stored(two), 60)
    when = f"{TODAY - timedelta(days=2)} 09:00:00"

    def complain(phone, state="10", rest=",,"):
        text = "登记编号,类别,被诉方名称,被诉方地址,被诉方电话,事发区划,登记时间,问题类别,处理状态,办结时间,是否属实\n"
        text += f"{no},1,随动,别处路1号,{phone},370102,{when},价格,{state}{rest}\n"
        assert give(text, "投.csv", "complaints").counts["good"] == 1

    def links(**more):
        with acting(SYSTEM):
            return list(Link.objects.filter(key=no, **more))

    complain("0531-77110001")
    (link,) = until(lambda: links(state="review"), 150)
    assert link.uscc == one
    credit = become("credit")
    with acting(credit):
        link_actions.decide(credit, link.id, "accept")
    complain("0531-77110001", "40", f",{when},是")
    until(lambda: stored(one)[1] > 0, 30)
    assert [x.state for x in links()] == ["accepted"]  # nothing that was compared has changed
    complain("0531-77110002", "40", f",{when},是")
    (other,) = until(lambda: links(state="review"), 150)
    assert other.uscc == two and [(x.uscc, x.by) for x in links(state="undone")] == [(one, "system")]
    until(lambda: stored(one)[1] == 0, 30)
    assert no not in {key for (key,) in unlinked()}


def unlinked():
    with owner() as con:
        return con.execute("select key from enterprise_unlinked").fetchall()


LINKED = (
    "insert into enterprise_link (id, dataset, key, uscc, score, margin, model, evidence, name_only, state, at, by, "
    "accepted_at, about) values (%s, 'complaints', %s, %s, 1, 1, '', '[]', false, 'accepted', now(), 'x', now(), '')"
)


def test_one_record_is_of_one_enterprise_only():
    """Two who accept at the same moment, or the model and a person: the database keeps the first."""
    given = (new_id(), f"唯一{code()}", code())
    with owner() as con, con.transaction(force_rollback=True):
        con.execute(LINKED, given)
        with pytest.raises(UniqueViolation):
            con.execute(LINKED, (new_id(), given[1], code()))


def test_after_many_links_everybody_is_graded_anew():
    """So many that nobody is told of each: the run over all is due, also while another is going on."""
    until(running.run, 60)
    links = [(new_id(), f"多{n}{code()}", code()) for n in range(hub.TOUCHED + 1)]
    with owner() as con:
        con.cursor().executemany(LINKED, links)
        try:
            assert running.due(timezone.localtime())
        finally:
            con.execute("delete from enterprise_link where id = any(%s)", [[id for id, *_rest in links]])
