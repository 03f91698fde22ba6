"""One delivery from its file to the tables: read, judge slice by slice while PostgreSQL copies, publish at once.

Everything before ``publish`` happens in a folder, in a table of the delivery's own and in files of the lake that
nothing refers to; all of it is thrown away and made anew when the process dies. ``publish`` is one transaction:
a delivery is in force whole or not at all.
"""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql as pg

from . import lake, publishing, tables
from .checks import checks
from .contracts import SPARE, Dataset, Message, Mode, NotReadable, Whole
from .messages import KEPT, LINE, of_row
from .reading import Texts, read
from .sql import name, repeated, validated

SLICE = 500_000  # rows judged and copied at a time
WAITING = 4  # slices that may wait to be copied
BLOCK = 1 << 20
ROOM = 3.0  # free disk wanted, as a multiple of the file's size


class DiskFull(RuntimeError):
    """There is not enough room; ``str(error)`` says how much is wanted. Nothing is half loaded."""


@dataclass
class Outcome:
    """What came of a delivery. ``counts``: rows, good, bad, repeated, and what publishing did with them.

    ``doubtful`` among them: rows of a full delivery of which nobody can say what record they are, so that it withdraws
    nothing.
    """

    counts: dict[str, int] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    tally: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    filled: float = 1.0  # share of the good rows' cells that are not empty
    first: bool = False
    by_region: dict[str, int] = field(default_factory=dict)  # of the good rows, where there is a territory


def room_for(file: Path, where: Path) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        DiskFull: with what is wanted and what there is.
    """
    free = shutil.disk_usage(where).free
    wanted = int(file.stat().st_size * ROOM) + SPARE
    if free < wanted:
        raise DiskFull(
            f"磁盘空间不足：装这一批约要 {wanted / 2**30:.1f} GB，只剩 {free / 2**30:.1f} GB。"
            "文件已收好，没有装载任何一行；请管理员清理磁盘，之后会自动接着装"
        )


class Load:
    """The work on one delivery.

    Args:
        seq: the delivery's number. as_of: the moment up to which its data is true.
        file: its bytes. folder: scratch, thrown away by the caller. lake_root: of all datasets.
        connect: opens a connection as the tables' owner.
        wholes: full deliveries of later moments, the earliest first.
        memory: DuckDB's limit; what exceeds it goes to the scratch folder.
    """

    def __init__(
        self,
        dataset: Dataset,
        seq: int,
        as_of: datetime,
        mode: Mode,
        file: Path,
        folder: Path,
        lake_root: Path,
        connect: Callable[[], psycopg.Connection],
        wholes: Sequence[Whole] = (),
        memory: str = "2GB",
    ) -> None:
        self.dataset, self.seq, self.as_of, self.mode, self.file = dataset, seq, as_of, mode, file
        self.folder, self.lake, self.connect, self.wholes = folder, lake_root, connect, wholes
        self.outcome = Outcome()
        self.bad = self.doubtful = 0
        self.broken: list[Message] = []
        self.validated: Callable[[Outcome], None] = lambda _outcome: None
        self.target = f"{dataset.id}__{seq}"
        folder.mkdir(parents=True, exist_ok=True)
        self.con = duckdb.connect(str(folder / "work.duckdb"))
        self.con.execute(f"set memory_limit = '{memory}'; set temp_directory = '{folder}/spill'")
        self.con.execute("set enable_progress_bar = false")

    def run(self, publish: Callable[[psycopg.Connection, Outcome], None]) -> Outcome:
        """Do all but joining the lake, which comes after and can be repeated.

        Args:
            publish: called last inside the publishing transaction, to mark the delivery as loaded.

        Raises:
            NotReadable: the file as a whole, or too much would be withdrawn; nothing was loaded.
            DiskFull: no room.
        """
        try:
            return self._run(publish)
        except (psycopg.errors.DiskFull, duckdb.OutOfMemoryException) as error:
            raise DiskFull(
                f"磁盘或内存写满了（{str(error).splitlines()[0]}）：没有装载任何一行，清理后会自动重来"
            ) from error
        except (duckdb.IOException, OSError) as error:
            if "No space left" not in str(error):
                raise
            raise DiskFull("磁盘写满了：没有装载任何一行，清理后会自动重来") from error
        finally:
            self.con.close()

    def _run(self, publish: Callable[[psycopg.Connection, Outcome], None]) -> Outcome:
        room_for(self.file, self.folder)
        with self.stage("read"):
            texts = read(self.con, self.file, self.dataset, self.folder)
        with self.stage("duplicates"):
            self.con.execute(f"create or replace table dup as {repeated(self.dataset, texts.source())}")
        lake.discard(self.lake, self.dataset.id, self.seq)
        with self.connect() as con:
            with con.transaction():
                tables.ensure(con, self.dataset)
                self.outcome.first = tables.is_empty(con, self.dataset.id)
                tables.drop(con, self.target)
            with self.stage("validate_and_copy"):
                self._copy(texts)
            self._tell(texts)
            self.validated(self.outcome)
            if not self.outcome.counts["good"] and self.outcome.counts["bad"]:
                raise NotReadable(
                    "没有一行合格，一行也没有装载，这一期仍算没有报。逐格的问题和改法在下面，改好后重报"
                )
            with self.stage("publish"):
                self._publish(con, publish, texts.absent)
        return self.outcome

    @contextmanager
    def stage(self, label: str) -> Iterator[None]:
        """Note how many seconds a part takes."""
        start = time.monotonic()
        yield
        self.outcome.seconds[label] = round(time.monotonic() - start, 2)

    # reading is done; from here on the table of texts is judged

    def _copy(self, texts: Texts) -> None:
        d = self.dataset
        fields = ", ".join(name(f.id) for f in d.fields)
        withdrawn = "false"
        if d.withdrawal_field:
            values = ", ".join("'" + v.replace("'", "''") + "'" for v in sorted(d.withdrawal_values))
            withdrawn = f"coalesce({name(d.withdrawal_field)}::varchar in ({values}), false)"
        system = f"_n::integer as _row, {name(d.valid_from)}::date as _valid_from, {withdrawn} as _withdrawn"
        parts = lake.folder(self.lake, d.id, self.seq)
        parts.mkdir(parents=True)
        clash = self.con.execute("select count(*) from dup where not _same").fetchone() != (0,)
        judged = "select * from dup where not _same"
        self.con.execute(f"create or replace table clash as {judged}")
        same = "where _n not in (select _n from dup where _same)" if self._repeated() else ""
        texts_of_bad = (
            f"case when _bad <> 0 then {name('t_' + f.id)} end as {name('t_' + f.id)}" for f in d.fields
        )
        kept = ", ".join(["_n", "_bad", fields, *texts_of_bad])  # of a good row the values are enough
        good = bad = cells = 0
        counted = " + ".join(f"count({name(f.id)})" for f in d.fields)
        self.con.execute("drop table if exists bad")
        with _Copying(self.connect, self._create, self.target, d) as copying:
            for low in range(0, max(texts.rows, 1), SLICE):
                source = texts.source(low, low + SLICE)
                query = validated(d, source, self.as_of.date().isoformat(), "clash" if clash else "")
                self.con.execute(f"create or replace temp table v as select {kept} from ({query}) {same}")
                verb = "create table bad as" if low == 0 else "insert into bad"
                self.con.execute(f"{verb} select * from v where _bad <> 0")
                self.con.execute("delete from v where _bad <> 0")
                told = self.con.execute(f"select count(*), {counted} from v").fetchone()
                good, cells = good + told[0], cells + told[1]
                if not told[0]:
                    continue
                self._count_regions(withdrawn)
                ready = f"select {system}, {fields} from v"
                file = self.folder / f"{low:012d}.csv"
                self.con.execute(f"copy ({ready}) to '{file}' (format csv, header false)")
                copying.give(file)
                lake_row = f"select {self.seq} as _delivery, {system}, {fields} from v"
                self.con.execute(
                    f"copy ({lake_row}) to '{parts}/{low:012d}.parquet' (format parquet, compression snappy)"
                )
        self.con.execute("drop table if exists v")
        (self.bad,) = self.con.execute("select count(*) from bad").fetchone()
        self.outcome.filled = cells / (good * len(d.fields)) if good else 1.0
        bad = self.bad
        self.outcome.counts = {
            "rows": texts.rows + texts.broken,
            "good": good,
            "bad": bad + texts.broken,
            "repeated": self._repeated(),
        }
        if self.mode is Mode.FULL and (doubtful := texts.broken + self._without_key()):
            self.doubtful = self.outcome.counts["doubtful"] = doubtful
        if self.mode is Mode.FULL and not good and not bad and texts.rows == 0 and texts.broken == 0:
            raise NotReadable(
                "“全部记录”的文件里只有表头：没有变化的，改报“有变化的记录”；确有记录的，重新导出"
            )

    def _create(self, con: psycopg.Connection) -> None:
        tables.create(con, self.target, self.dataset, self.seq, unlogged=not self.outcome.first)

    def _count_regions(self, withdrawn: str) -> None:
        if not self.dataset.territory:
            return
        where, found = name(self.dataset.territory), self.outcome.by_region
        counted = f"select {where}, count(*) from v where not {withdrawn} group by 1"
        for code, n in self.con.execute(counted).fetchall():
            found[code] = found.get(code, 0) + n

    def _repeated(self) -> int:
        found = self.con.execute("select count(*) from dup where _same").fetchone()
        return int(found[0]) if found else 0

    def _tell(self, texts: Texts) -> None:
        """The first messages in the order of rows, and how often each check failed.

        What concerns the file or whole lines comes before single cells, the last such line always: a file that broke
        off is not to look whole because cells before it are wrong.
        """
        messages = [*texts.messages[: KEPT - 2], *texts.messages[KEPT - 2 :][-1:]]
        if self.doubtful and not self.outcome.first:
            what = f"报的是全部记录，有 {self.doubtful} 行读不出是哪一条，所以这一批没有撤回任何记录"
            remedy = "改好这些行，连同其余记录重报全部；文件没有传完的，重新导出"
            messages.insert(0, Message(1, "整批", "", what, remedy))
        self.broken = [m for m in texts.messages if m.field == LINE]
        cells = (m for _row, _texts, told in self.bad_for_workbook(KEPT) for m in told)
        messages += islice(cells, KEPT - len(messages))
        self.outcome.messages = sorted(messages, key=lambda m: m.row)
        listed = ", ".join(f"count(*) filter (where _bad >> {c.bit} & 1 = 1)" for c in checks(self.dataset))
        numbers = self.con.execute(f"select {listed} from bad").fetchone() or ()
        self.outcome.tally = [
            {"field": self.dataset.field(c.field).name, "what": c.what, "rows": n}
            for c, n in zip(checks(self.dataset), numbers, strict=True)
            if n
        ]
        if texts.broken:
            self.outcome.tally.append({"field": LINE, "what": "读不成记录", "rows": texts.broken})

    def broken_for_workbook(self) -> Iterator[tuple[int, dict[str, str | None], list[Message]]]:
        """Lines that are no records: their text stands in the message, no cell of them is known."""
        for m in self.broken:
            yield m.row, {}, [replace(m, what=f"{m.what}（原文：{m.value}）")]

    def bad_for_workbook(self, limit: int) -> Iterator[tuple[int, dict[str, str | None], list[Message]]]:
        """Number, texts by field and messages of the first refused rows, in order."""
        for row, texts, mask, other in self.bad_texts(limit):
            yield row, texts, list(of_row(self.dataset, row, texts, mask, other))

    def bad_texts(self, limit: int) -> list[tuple[int, dict[str, str | None], int, int | None]]:
        """Number, texts by field, mask and the other row of a duplicate, of the first refused rows."""
        listed = ", ".join(name("t_" + f.id) for f in self.dataset.fields)
        found = self.con.execute(
            f"select bad._n, _bad, c._with, {listed} from bad left join "
            "(select _n, min(_with) as _with from clash group by _n) c on c._n = bad._n order by bad._n limit ?",
            [limit],
        ).fetchall()
        ids = [f.id for f in self.dataset.fields]
        return [(row, dict(zip(ids, texts, strict=True)), mask, other) for row, mask, other, *texts in found]

    def _publish(
        self,
        con: psycopg.Connection,
        publish: Callable[[psycopg.Connection, Outcome], None],
        absent: Collection[str],
    ) -> None:
        d, counts = self.dataset, self.outcome.counts
        with con.transaction():
            if self.outcome.first:
                counts |= publishing.first(con, d, self.target, counts["good"])
            else:
                if publishing.fill(con, d, self.target, absent):
                    lake.write_anew(self.lake, d.id, self.seq, con, self.target, self.con, self.folder)
                whole = self.mode is Mode.FULL and not self.doubtful
                refused = self._refused_keys() if whole else None
                counts |= publishing.change(con, d, self.target, self.seq, refused, self.wholes)
            publish(con, self.outcome)
        if self.outcome.first:  # afterwards autovacuum sees to it
            con.execute(pg.SQL("analyze {}").format(tables.table(d.id)))

    def _refused_keys(self) -> list[tuple[Any, ...]]:
        """Keys of refused rows: a bad row is still a row, and withdraws nothing."""
        listed = ", ".join(name(k) for k in self.dataset.key)
        return self.con.execute(f"select distinct {listed} from bad").fetchall()

    def _without_key(self) -> int:
        """How many refused rows do not say whose they are: of any record they may be the row."""
        lacking = " or ".join(f"{name(k)} is null" for k in self.dataset.key)
        found = self.con.execute(f"select count(*) from bad where {lacking}").fetchone()
        return int(found[0]) if found else 0


class _Copying:
    """A connection that makes a table and copies files of CSV into it while the next slice is judged.

    Made and filled in one transaction, so that PostgreSQL takes the rows as frozen: the index that follows then
    writes no page of the table anew (with checksums, each would go into the log once more), and no later vacuum
    has to. One connection keeps up: judging takes two thirds of the time on two cores.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        create: Callable[[psycopg.Connection], None],
        target: str,
        dataset: Dataset,
    ) -> None:
        columns = ["_row", "_valid_from", "_withdrawn", *(f.id for f in dataset.fields)]
        self._sql = pg.SQL("copy {} ({}) from stdin (format csv, freeze)").format(
            tables.table(target), tables.names(columns)
        )
        self._connect, self._create = connect, create
        self._files: queue.Queue[Path | None] = queue.Queue(maxsize=WAITING)
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)

    def give(self, file: Path) -> None:
        """Hand over a file; waits while too many do. Raises what the copying raised."""
        self._raise()
        self._files.put(file)

    def _raise(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _work(self) -> None:
        more = True
        try:
            with self._connect() as con, con.transaction():
                self._create(con)
                while more := (file := self._files.get()) is not None:
                    with con.cursor().copy(self._sql) as copy, file.open("rb") as stream:
                        while block := stream.read(BLOCK):
                            copy.write(block)
                    file.unlink()
        except BaseException as error:
            self._failed = error
            while more:  # let the giver go on until it notices; nothing comes after None
                more = self._files.get() is not None

    def __enter__(self) -> _Copying:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._files.put(None)
        self._thread.join()
        if kind is None:
            self._raise()
