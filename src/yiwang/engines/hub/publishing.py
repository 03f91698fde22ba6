"""What a delivery does to its dataset, set by set, inside one transaction of the caller's.

``_seen`` orders versions: the source's moment of the delivery that last said this. A delivery whose moment is
earlier than that of the row's is late: what it says goes into the history and does not overwrite.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg import sql as pg

from . import tables
from .contracts import Dataset, NotReadable, Whole

TOUCHED = 500  # records of a delivery that the event of its loading names; of more it says only how many
_TOUCHED = "create temp table touched (key text, subject text) on commit drop"
# Of this session only, and safe in production: memory for sorting, and index look-ups priced as on an SSD.
_SESSION = (
    "set local maintenance_work_mem = '1GB'", "set local max_parallel_maintenance_workers = 2",
    "set local work_mem = '128MB'", "set local random_page_cost = 1.1",
)  # fmt: skip


def _one(con: Connection, statement: pg.Composed, *values: Any) -> int:
    row = con.execute(statement, values).fetchone()
    return int(row[0]) if row else 0


def first(con: Connection, dataset: Dataset, target: str, good: int) -> dict[str, int]:
    """Put a filled table in the place of the empty one: primary key, then the name."""
    for statement in _SESSION:
        con.execute(statement)
    tables.index(con, target, dataset)
    for column in ("_delivery", "_seen"):
        con.execute(
            pg.SQL("alter table {} alter column {} drop default").format(
                tables.table(target), pg.Identifier(column)
            )
        )
    con.execute(pg.SQL("drop view if exists {}").format(tables.table(f"{dataset.id}_versions")))
    tables.drop(con, dataset.id)
    con.execute(pg.SQL("alter table {} rename to {}").format(tables.table(target), pg.Identifier(dataset.id)))
    tables.refers(con, dataset)
    tables.view(con, dataset)
    con.execute(_TOUCHED)
    _touch(con, dataset, pg.SQL("{} c").format(tables.table(dataset.id)), "c")
    withdrawn = 0
    if dataset.withdrawal_field:
        withdrawn = _one(
            con, pg.SQL("select count(*) from {} where _withdrawn").format(tables.table(dataset.id))
        )
    return {"new": good - withdrawn, "changed": 0, "unchanged": 0, "withdrawn": withdrawn, "late": 0}


def fill(con: Connection, dataset: Dataset, stage: str, absent: Collection[str]) -> int:
    """Give the rows of a staged delivery what it says nothing of, as the records that they are about have it.

    An empty cell says that there is nothing; a column that is not there says nothing, nor does a contract of a field
    that only another version of it has. Whether a record is withdrawn follows from the field that says so, also when
    that field is filled.

    Args:
        stage: the table of its good rows. absent: fields for which it had no column at all.

    Returns:
        how many rows are about records that are held.
    """
    con.execute(pg.SQL("lock table {} in share row exclusive mode").format(tables.table(dataset.id)))
    others = {i: kind for i, kind in tables.fields(con, dataset.id).items() if i not in dataset.by_id}
    for i, kind in others.items():
        add = pg.SQL("alter table {} add column {} " + kind)
        con.execute(add.format(tables.table(stage), pg.Identifier(i)))
    unsaid = [*(f.id for f in dataset.fields if f.id in absent), *others]
    if not unsaid:
        return 0
    keep = [pg.SQL("{0} = c.{0}").format(pg.Identifier(i)) for i in unsaid]
    if dataset.withdrawal_field in unsaid:
        values = pg.SQL(", ").join(map(pg.Literal, sorted(dataset.withdrawal_values)))
        revoked = pg.SQL("_withdrawn = coalesce(c.{}::text in ({}), false)")
        keep.append(revoked.format(pg.Identifier(dataset.withdrawal_field), values))
    return con.execute(
        pg.SQL("update {s} s set {keep} from {t} c where {on}").format(
            s=tables.table(stage), t=tables.table(dataset.id), keep=pg.SQL(", ").join(keep),
            on=_on("c", "s", dataset.key),
        )
    ).rowcount  # fmt: skip


def change(
    con: Connection,
    dataset: Dataset,
    stage: str,
    seq: int,
    refused: Sequence[tuple[Any, ...]] | None = None,
    wholes: Sequence[Whole] = (),
) -> dict[str, int]:
    """Apply a staged delivery, filled before: versions it replaces go into the history first.

    Args:
        stage: the table of its good rows.
        refused: keys that a full delivery had in bad rows; None for one that withdraws nothing.
        wholes: full deliveries of later moments. A record that is told for the first time and that such a one did
            not have was true and has ended: it is withdrawn by that, and what is told goes into the history.

    Returns:
        new, changed, unchanged, withdrawn, late.

    Raises:
        NotReadable: a full delivery would withdraw more than the contract allows.
    """
    for statement in _SESSION:
        con.execute(statement)
    ids = list(
        tables.fields(con, dataset.id)
    )  # the history keeps what only other versions of the contract have
    parts = {
        "t": tables.table(dataset.id),
        "h": tables.table(f"{dataset.id}_hist"),
        "s": tables.table(stage),
        "f": tables.names(ids),
        "cf": _of("c", ids),
        "sf": _of("s", ids),
        "key": tables.names(dataset.key),
        "on": _on("c", "s", dataset.key),
        "d": pg.Literal(seq),
        "ended": _ended_by(dataset, wholes),
    }

    def sql(text: str) -> pg.Composed:
        return pg.SQL(text).format(**parts)

    con.execute(sql("analyze {s}"))
    con.execute(sql(
        "create temp table m on commit drop as select s.ctid as s, c.ctid as c, {ended} as ended, case "
        "when c._delivery is null then case when {ended} is null then 'new' else 'ended' end "
        "when row({cf}) is not distinct from row({sf}) and c._withdrawn = s._withdrawn "
        "then case when seen.as_of > mine.as_of then 'known' else 'same' end "
        "when seen.as_of > mine.as_of then 'late' else 'changed' end as what, "
        "s._withdrawn and not coalesce(c._withdrawn, false) as gone "
        "from {s} s join public.hub_delivery mine on mine.seq = {d} "
        "left join {t} c on {on} left join public.hub_delivery seen on seen.seq = c._seen"
    ))  # fmt: skip
    con.execute("analyze m")  # so that its rows are fetched by their place, not looked for in the whole table
    counts = {"new": 0, "changed": 0, "unchanged": 0, "withdrawn": 0, "late": 0}
    for what, gone, n in con.execute("select what, gone, count(*) from m group by 1, 2").fetchall():
        name = {"same": "unchanged", "known": "unchanged", "ended": "late"}.get(what, what)
        counts["withdrawn" if gone and name in ("new", "changed") else name] += int(n)
    con.execute(_TOUCHED)
    those = "m join {s} s on s.ctid = m.s and m.what in ('new', 'changed')"
    _touch(con, dataset, sql(those), "s")
    _touch(con, dataset, sql(those + " join {t} c on c.ctid = m.c"), "c")  # whose they were
    history = "insert into {h} (_delivery, _seen, _row, _valid_from, {f}, _withdrawn, _until) "
    con.execute(sql(
        history + "select c._delivery, c._seen, c._row, c._valid_from, {cf}, c._withdrawn, {d} "
        "from {t} c join m on m.c = c.ctid where m.what = 'changed'"
    ))  # fmt: skip
    con.execute(sql(
        history + "select {d}, {d}, s._row, s._valid_from, {sf}, s._withdrawn, {d} "
        "from {s} s join m on m.s = s.ctid where m.what in ('late', 'ended')"
    ))  # fmt: skip
    sets = pg.SQL(", ").join(
        pg.SQL("{0} = s.{0}").format(pg.Identifier(i)) for i in ids if i not in dataset.key
    )
    con.execute(
        pg.SQL(
            "update {t} c set _delivery = {d}, _seen = {d}, _row = s._row, _valid_from = s._valid_from, "
            "_withdrawn = s._withdrawn{comma}{sets} from {s} s join m on m.s = s.ctid "
            "where m.what = 'changed' and c.ctid = m.c"
        ).format(sets=sets, comma=pg.SQL(", ") if len(ids) > len(dataset.key) else pg.SQL(""), **parts)
    )
    con.execute(sql(
        "insert into {t} (_delivery, _seen, _row, _valid_from, {f}, _withdrawn) "
        "select {d}, {d}, s._row, s._valid_from, {sf}, s._withdrawn from {s} s join m on m.s = s.ctid "
        "where m.what = 'new'"
    ))  # fmt: skip
    if wholes:  # known from today on, by this delivery; ended at the moment of the other
        con.execute(sql(
            "insert into {t} (_delivery, _seen, _row, _valid_from, {f}, _withdrawn) "
            "select {d}, m.ended, null, (w.as_of at time zone 'Asia/Shanghai')::date, {sf}, true "
            "from {s} s join m on m.s = s.ctid join public.hub_delivery w on w.seq = m.ended where m.what = 'ended'"
        ))  # fmt: skip
    con.execute(sql("update {t} c set _seen = {d} from m where m.what = 'same' and c.ctid = m.c"))
    if refused is not None:
        counts["withdrawn"] += _withdraw(con, dataset, parts, history, refused)
    con.execute(sql("drop table {s}"))
    return counts


def _withdraw(
    con: Connection,
    dataset: Dataset,
    parts: dict[str, Any],
    history: str,
    refused: Sequence[tuple[Any, ...]],
) -> int:
    """What a full delivery does not have is withdrawn from its moment on, unless something newer said it.

    Only where its office delivers: a county's whole says nothing of another county.
    """
    held_by = pg.SQL("not c._withdrawn")
    if dataset.within is not None:
        codes = pg.SQL(", ").join(map(pg.Literal, sorted(dataset.within.codes)))
        held_by += pg.SQL(" and c.{} in ({})").format(pg.Identifier(dataset.territory), codes)
    parts = {**parts, "mine": held_by}

    def sql(text: str) -> pg.Composed:
        return pg.SQL(text).format(**parts)

    con.execute(sql("create temp table kept on commit drop as select {key} from {s}"))
    with con.cursor().copy(sql("copy kept ({key}) from stdin")) as copy:
        for key in refused:
            copy.write_row(key)
    con.execute("analyze kept")
    con.execute(
        pg.SQL(
            "create temp table gone on commit drop as select c.ctid as c from {t} c "
            "join public.hub_delivery seen on seen.seq = c._seen join public.hub_delivery mine on mine.seq = {d} "
            "where {mine} and seen.as_of <= mine.as_of and not exists (select 1 from kept s where {on})"
        ).format(**parts)
    )
    count = _one(con, pg.SQL("select count(*) from gone").format())
    held = _one(con, sql("select count(*) from {t} c where {mine}"))
    if count > held * dataset.withdraw_at_most:
        where = dataset.within.name if dataset.within else ""
        raise NotReadable(
            f"这份全量比{where}现有的少 {count} 条（现有 {held} 条），超过合同允许一次撤回的 "
            f"{dataset.withdraw_at_most:.0%}，整批没有装。"
            "多半是文件不全：重新导出全量再报；确实要撤回这么多的，请数据管理员先改合同的 withdraw_at_most"
        )
    _touch(con, dataset, sql("{t} c join gone on gone.c = c.ctid"), "c")
    con.execute(sql(
        history + "select c._delivery, c._seen, c._row, c._valid_from, {cf}, c._withdrawn, {d} "
        "from {t} c join gone on gone.c = c.ctid"
    ))  # fmt: skip
    con.execute(sql(
        "update {t} c set _delivery = {d}, _seen = {d}, _row = null, _withdrawn = true, "
        "_valid_from = (select (as_of at time zone 'Asia/Shanghai')::date from public.hub_delivery where seq = {d}) "
        "from gone where c.ctid = gone.c"
    ))  # fmt: skip
    return count


def _touch(con: Connection, dataset: Dataset, those: pg.Composed, alias: str) -> None:
    """Keep the keys of some records and whose they are, as many as the event of the loading may name."""
    key = pg.SQL(", ").join(pg.SQL("{}::text").format(pg.Identifier(alias, k)) for k in dataset.key)
    subject = pg.Identifier(alias, dataset.subject_field) if dataset.subject_field else pg.SQL("null")
    text = "insert into touched select array_to_string(array[{}], e'\\x1f', ''), {}::text from {} limit {}"
    con.execute(pg.SQL(text).format(key, subject, those, pg.Literal(TOUCHED + 1)))


def count_touched(counts: Mapping[str, int]) -> int:
    """How many records a delivery touched, by its counts."""
    return sum(counts.get(k, 0) for k in ("new", "changed", "withdrawn"))


def large_since(con: Connection, moment: datetime, dataset: str = "") -> dict[int, int]:
    """Deliveries published after a moment whose events name no records: number → how many it touched."""
    found = con.execute(
        "select seq, counts from hub_delivery where state = 'loaded' and loaded_at > %s and (%s = '' or dataset = %s)",
        [moment, dataset, dataset],
    ).fetchall()
    return {seq: n for seq, counts in found if (n := count_touched(counts)) > TOUCHED}


def touched(con: Connection) -> dict[str, list[str]] | None:
    """The records that came, changed or were withdrawn: keys (values joined by 0x1f), and whose they were and are.

    In the transaction of ``first`` or ``change``. None when they are more than TOUCHED.
    """
    rows = con.execute("select key, array_agg(distinct subject) from touched group by key").fetchall()
    if len(rows) > TOUCHED:
        return None
    return {
        "keys": sorted(key for key, _of in rows),
        "subjects": sorted({code for _key, of in rows for code in of if code}),
    }


def _ended_by(dataset: Dataset, wholes: Sequence[Whole]) -> pg.Composable:
    """The number of the full delivery by which a row told for the first time has ended, null for none."""
    cases = []
    for whole in wholes:
        if whole.codes is None:
            cases.append(pg.SQL("when true then {}").format(pg.Literal(whole.seq)))
        else:
            codes = pg.SQL(", ").join(map(pg.Literal, sorted(whole.codes)))
            told = pg.SQL("when s.{} in ({}) then {}")
            cases.append(told.format(pg.Identifier(dataset.territory), codes, pg.Literal(whole.seq)))
    if not cases:
        return pg.SQL("null::integer")
    return pg.SQL("case {} end").format(pg.SQL(" ").join(cases))


def held(con: Connection, dataset: Dataset) -> tuple[int, dict[str, int] | None]:
    """How many records are held; and by division where the contract names a territory. One look at the table."""
    table = tables.table(dataset.id)
    if not dataset.territory:
        return _one(con, pg.SQL("select count(*) from {} where not _withdrawn").format(table)), None
    grouped = pg.SQL("select {}, count(*) from {} where not _withdrawn group by 1")
    rows = con.execute(grouped.format(pg.Identifier(dataset.territory), table)).fetchall()
    by_region = {code or "": int(n) for code, n in rows}  # one that came before the field did has none
    return sum(by_region.values()), by_region


def _of(alias: str, ids: Sequence[str]) -> pg.Composed:
    return pg.SQL(", ").join(pg.SQL("{}.{}").format(pg.Identifier(alias), pg.Identifier(i)) for i in ids)


def _on(left: str, right: str, key: Sequence[str]) -> pg.Composed:
    return pg.SQL(" and ").join(
        pg.SQL("{}.{} = {}.{}").format(
            pg.Identifier(left), pg.Identifier(k), pg.Identifier(right), pg.Identifier(k)
        )
        for k in key
    )
