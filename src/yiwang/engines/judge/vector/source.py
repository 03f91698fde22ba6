"""A register in Parquet: codes encoded column by column, kept on disk, matched piece by piece with bounded memory.

The cache holds one file of codes per column, named by everything the codes depend on: the data (sizes and times of
its files), the field, its derivation and the cuts. A changed threshold makes that one column anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from yiwang.engines.judge.rules import derived_sql
from yiwang.engines.judge.rules.contracts import Field, Fields
from yiwang.engines.judge.vector import encode, kernels, matching
from yiwang.engines.judge.vector.plan import Column, Plan

PIECE = 1 << 17  # rows given to a kernel at once
_STAMP = re.compile(r"[0-9a-f]{16}\Z")
_KEPT = 2  # versions of a column's codes that stay in the cache
Ints = NDArray[np.int64]
T = TypeVar("T")


def _forget(current: Path) -> None:
    """Remove codes of earlier states of the register, but for the last one: somebody may be reading it."""
    others = [
        one for one in current.parent.iterdir() if one.is_dir() and _STAMP.match(one.name) and one != current
    ]
    for old in sorted(others, key=lambda one: one.stat().st_mtime_ns)[:-1]:
        shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True)
class Block:
    """A row group of a file, and its first row counted over all files."""

    path: Path
    group: int
    start: int
    rows: int
    loose: bool = False
    """Whether it is of the file of changes, of which nothing is cached."""


class Source:
    """Parquet files of one register, in order.

    Args:
        paths: a file, or files of the same columns.
        fields: what rules read.
        cache: a folder of our own for codes; None: nothing is kept.
        as_of: the day that `today` stands for in derived features.
        workers: threads; None: one per core.
        fast: whether to use numba; None: if it is there.
        over: a small file of changed rows, laid over the others: its rows come last, its codes are never kept.
        hidden: numbers of the rows that the changes replace; they count nowhere.

    Raises:
        OSError, pyarrow.ArrowInvalid: a file cannot be read.
    """

    def __init__(
        self,
        paths: Path | Sequence[Path],
        fields: Fields,
        cache: Path | None = None,
        as_of: date | None = None,
        workers: int | None = None,
        fast: bool | None = None,
        over: Path | None = None,
        hidden: Ints | None = None,
    ) -> None:
        self.paths = [paths] if isinstance(paths, Path) else list(paths)
        self.fields, self.as_of = fields, as_of
        self.workers = workers or os.cpu_count() or 1
        self.fast = kernels.fast() if fast is None else fast
        self.blocks: list[Block] = []
        self.rows = 0
        self._token = f".part{os.getpid()}-{id(self):x}"
        self._files: WeakKeyDictionary[Column, Path] = WeakKeyDictionary()
        self._written: dict[Path, set[int]] = {}
        self._lock = Lock()
        stamp = hashlib.sha256()
        for path in [*self.paths, *([over] if over else [])]:
            metadata = pq.read_metadata(path)
            if path != over:
                found = path.stat()
                stamp.update(f"{path.name}|{found.st_size}|{found.st_mtime_ns}\n".encode())
            for group in range(metadata.num_row_groups):
                count = metadata.row_group(group).num_rows
                self.blocks.append(Block(path, group, self.rows, count, path == over))
                self.rows += count
        self.hidden = np.unique(np.asarray([] if hidden is None else hidden, np.int64))
        self.rows -= len(self.hidden)
        self.names = set(pq.read_schema(self.paths[0]).names) if self.paths else set()
        self.cache = cache / stamp.hexdigest()[:16] if cache else None
        if self.cache:
            self.cache.mkdir(parents=True, exist_ok=True)
            _forget(self.cache)

    # Reading

    def table(self, block: Block, names: Sequence[str]) -> Any:
        """Columns of a row group, texts as dictionaries, derived features computed."""
        wanted = set(names)
        for name in reversed(self.fields.order):
            if name in wanted:
                wanted |= derived_sql.reads(self.fields[name])
        stored = sorted(name for name in wanted if not self.fields[name].derive)
        absent = [name for name in stored if name not in self.names]
        if absent:
            raise encode.WrongColumn(f"数据里没有列「{'、'.join(absent)}」；请先归集，或从规则中去掉")
        texts = [name for name in stored if self.fields[name].type in ("string", "code")]
        with pq.ParquetFile(block.path, read_dictionary=texts) as file:
            found = file.read_row_group(block.group, columns=stored, use_threads=False)
        return matching.with_derived(found, self.fields, set(names), self.as_of)

    def codes(self, plan: Plan, block: Block) -> list[NDArray[Any]]:
        """The codes of a block, one array per column; encoded where the cache has none."""
        found: list[NDArray[Any] | None] = [self._cached(column, block) for column in plan.columns]
        absent = [i for i, codes in enumerate(found) if codes is None]
        derived = [plan.columns[i].field.name for i in absent if plan.columns[i].field.derive]
        together = self.table(block, derived) if derived else None
        for i in absent:
            column = plan.columns[i]
            table: Any = together if column.field.derive else self.table(block, [column.field.name])
            out = np.empty(block.rows, column.dtype)
            encode.encode(column, table.column(column.field.name), out, self.fast)
            found[i] = out
            self._keep(column, block, out)
        return [codes for codes in found if codes is not None]

    def pieces(self, plan: Plan, block: Block) -> Iterator[tuple[int, NDArray[np.uint16]]]:
        """First row and code matrix of every piece of a block."""
        codes = self.codes(plan, block)
        held = np.empty((len(codes), min(PIECE, block.rows)), np.uint16)
        for start in range(0, block.rows, PIECE):
            count = min(PIECE, block.rows - start)
            for i, column in enumerate(codes):
                held[i, :count] = column[start : start + count]
            yield block.start + start, held[:, :count]

    def shown(self, first: int, rows: Ints) -> Ints:
        """Of ascending rows counted from row `first`, those that are not hidden."""
        low, high = np.searchsorted(self.hidden, [first, first + (int(rows[-1]) + 1 if len(rows) else 0)])
        found: Ints = rows[~np.isin(rows, self.hidden[low:high] - first)] if low < high else rows
        return found

    def _beneath(self, first: int, codes: NDArray[np.uint16]) -> NDArray[np.uint16] | None:
        """Of a piece that begins with row `first`, the codes of hidden rows; None when there are none."""
        low, high = np.searchsorted(self.hidden, [first, first + codes.shape[1]])
        return np.ascontiguousarray(codes[:, self.hidden[low:high] - first]) if low < high else None

    def each(self, work: Callable[[Block], T], blocks: list[Block] | None = None) -> Iterator[T]:
        """`work` for every block, on all workers, in order; only a few blocks are held at a time."""
        blocks = self.blocks if blocks is None else blocks
        if self.workers == 1:
            yield from map(work, blocks)
            return
        with ThreadPoolExecutor(self.workers) as pool:
            running = []
            for block in blocks:
                running.append(pool.submit(work, block))
                if len(running) > self.workers:
                    yield running.pop(0).result()
            for one in running:
                yield one.result()

    # Verbs

    def prepare(self, plan: Plan) -> None:
        """Bring the cache up to date for a plan, without matching."""
        for _ in self.each(lambda block: self.codes(plan, block) and None):
            pass
        self.finish(plan)

    def count(self, plan: Plan, backend: str | None = None) -> matching.Counts:
        """How many rows meet each rule and each policy."""
        rules, policies = np.zeros(len(plan.slots), np.int64), np.zeros(len(plan.policies), np.int64)
        kernel = self._kernel(backend)

        def work(block: Block) -> tuple[Ints, Ints]:
            if len(plan.unsettled):
                return matching.totals(plan, *self._pairs(plan, block, kernel))
            total = [np.zeros_like(rules), np.zeros_like(policies)]
            for first, codes in self.pieces(plan, block):
                for held, more in zip(total, kernel.count(plan, codes), strict=True):
                    held += more
                beneath = self._beneath(first, codes)
                if beneath is not None:
                    for held, less in zip(total, kernel.count(plan, beneath), strict=True):
                        held -= less
            return total[0], total[1]

        for per_rule, per_policy in self.each(work):
            rules += per_rule
            policies += per_policy
        self.finish(plan)
        return matching.named(plan, self.rows, rules, policies)

    def pairs(self, plan: Plan, backend: str | None = None) -> Iterator[tuple[Ints, Ints]]:
        """Row (over all files) and slot of every rule met, block by block, ordered."""
        kernel = self._kernel(backend)
        yield from self.each(lambda block: self._pairs(plan, block, kernel))
        self.finish(plan)

    def near(self, plan: Plan, backend: str | None = None) -> tuple[Ints, Ints]:
        """Per slot: rows that meet the rule; rows with exactly one soft condition short. Scalar-only ones ignored."""
        kernel = self._kernel(backend)

        def work(block: Block) -> NDArray[np.int64]:
            total = np.zeros((2, len(plan.slots)), np.int64)
            for first, codes in self.pieces(plan, block):
                total += np.stack(kernel.near(plan, codes))
                beneath = self._beneath(first, codes)
                if beneath is not None:
                    total -= np.stack(kernel.near(plan, beneath))
            return total

        found = np.zeros((2, len(plan.slots)), np.int64)
        for one in self.each(work):
            found += one
        self.finish(plan)
        return found[0], found[1]

    def _kernel(self, backend: str | None) -> Any:
        return kernels.backend(backend or ("numba" if self.fast else "numpy"))

    def _pairs(self, plan: Plan, block: Block, kernel: Any) -> tuple[Ints, Ints]:
        rows, rules = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for start, codes in self.pieces(plan, block):
            at, rule = kernel.pairs(plan, codes)
            rows.append(at + start)
            rules.append(rule)
        found = np.concatenate(rows), np.concatenate(rules)
        if len(self.hidden):
            kept = ~np.isin(found[0], self.hidden)
            found = found[0][kept], found[1][kept]
        if len(plan.unsettled) and len(found[0]):
            table = self.table(block, sorted(matching.scalar_reads(plan)))
            at, rule = matching.settle(plan, table, found[0] - block.start, found[1])
            return at + block.start, rule
        return found

    # The cache

    def cuts(self) -> dict[str, tuple[Any, ...]]:
        """Cuts of the newest cached codes by field, to compile further plans with."""
        found: dict[str, tuple[Any, ...]] = {}
        if self.cache:
            for file in sorted(self.cache.glob("*.json"), key=lambda one: one.stat().st_mtime_ns):
                said = json.loads(file.read_text())
                name = said["field"]
                if name in self.fields and said["depends"] == self.depends(self.fields[name]):
                    found[name] = tuple(said["cuts"])
        return found

    def depends(self, field: Field) -> str:
        """What codes of a field depend on besides its cuts and the data."""
        said = f"{field.name}|{field.type}|{field.scale}|{field.digits}|{field.derive}"
        if field.derive:
            below = sorted(derived_sql.reads(field))
            said += "|" + str(self.as_of) + "".join(f"({self.depends(self.fields[name])})" for name in below)
        return said

    def _file(self, column: Column) -> Path | None:
        if not self.cache:
            return None
        known = self._files.get(column)
        if known:
            return known
        told = json.dumps([self.depends(column.field), column.cuts], ensure_ascii=False).encode()
        name = hashlib.sha256(column.field.name.encode()).hexdigest()[:12]
        found = self.cache / f"{name}-{hashlib.sha256(told).hexdigest()[:20]}.codes"
        self._files[column] = found
        return found

    def _cached(self, column: Column, block: Block) -> NDArray[Any] | None:
        file = None if block.loose else self._file(column)
        if file is None or not file.exists():
            return None
        size = np.dtype(column.dtype).itemsize
        with file.open("rb", buffering=0) as held:
            held.seek(block.start * size)
            found = np.fromfile(held, column.dtype, block.rows)
        return found if len(found) == block.rows else None  # a damaged file is made anew

    def _keep(self, column: Column, block: Block, codes: NDArray[Any]) -> None:
        file = None if block.loose else self._file(column)
        if file is None:
            return
        part = file.with_suffix(self._token)
        with self._lock:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT, 0o644)
            self._written.setdefault(part, set()).add(block.start)
        try:
            os.pwrite(handle, np.ascontiguousarray(codes).data, block.start * codes.itemsize)
        finally:
            os.close(handle)

    def finish(self, plan: Plan) -> None:
        """Codes written by this run count from now on; older versions of the same columns go."""
        if not self.cache:
            return
        for column in plan.columns:
            file = self._file(column)
            if file is None:
                continue
            part = file.with_suffix(self._token)
            with self._lock:  # a file counts only when every block of it was written
                written = self._written.pop(part, None)
                if written is None or len(written) < sum(not b.loose for b in self.blocks):
                    part.unlink(missing_ok=True)
                    continue
            said = {
                "field": column.field.name,
                "depends": self.depends(column.field),
                "cuts": list(column.cuts),
            }
            file.with_suffix(".json").write_text(json.dumps(said, ensure_ascii=False))
            part.rename(file)
            versions = sorted(
                self.cache.glob(f"{file.name.split('-')[0]}-*.codes"), key=lambda one: one.stat().st_mtime_ns
            )
            for old in versions[:-_KEPT]:
                old.unlink(missing_ok=True)
                old.with_suffix(".json").unlink(missing_ok=True)

    # Groups to count by

    def axis(self, name: str, prefix: int = 0) -> tuple[list[str], NDArray[np.uint16]]:
        """Groups of a text field (of its first `prefix` characters): their texts, and each row's; "" is missing.

        Raises:
            encode.WrongColumn: the field is no text, or has more than 65,535 groups.
        """
        field = self.fields[name]
        if field.type not in ("string", "code"):
            raise encode.WrongColumn(f"不能按「{field.label}」分组：只能按文本或代码分组")
        stem = hashlib.sha256(f"axis|{self.depends(field)}|{prefix}".encode()).hexdigest()[:20]
        file = self.cache / f"axis-{stem}.groups" if self.cache else None
        places: dict[str, int] = {"": 0}
        kept: NDArray[np.uint16] | None = None
        if file and file.exists():
            texts = json.loads(file.with_suffix(".json.axis").read_text())
            places, kept = {text: n for n, text in enumerate(texts)}, np.fromfile(file, np.uint16)
        lock = Lock()

        def work(block: Block) -> NDArray[np.uint16]:
            chunk = self.table(block, [name]).column(name).combine_chunks()
            if isinstance(chunk, pa.ChunkedArray):  # an empty one, or several dictionaries
                chunk = pa.concat_arrays(
                    [one.cast(pa.string()) for one in chunk.chunks] or [pa.array([], pa.string())]
                )
            if not pa.types.is_dictionary(chunk.type):
                chunk = chunk.dictionary_encode()
            with lock:
                known = [
                    places.setdefault((text or "")[:prefix] if prefix else text or "", len(places))
                    for text in chunk.dictionary.to_pylist()
                ]
            if len(places) > 65_535:
                raise encode.WrongColumn(f"按「{field.label}」分组超过 65,535 组，请用较短的前缀")
            table = np.array([0, *known], np.uint16)
            found: NDArray[np.uint16] = table[chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) + 1]
            return found

        firm = [block for block in self.blocks if not block.loose]
        loose = [block for block in self.blocks if block.loose]
        groups = kept
        if groups is None:
            parts = list(self.each(work, firm))
            groups = np.concatenate(parts) if parts else np.zeros(0, np.uint16)
        if file and kept is None:
            file.with_suffix(".json.axis").write_text(json.dumps(list(places), ensure_ascii=False))
            part = file.with_suffix(self._token)
            groups.tofile(part)
            part.rename(file)
        groups = np.concatenate([groups, *map(work, loose)]) if loose else groups
        return list(places), groups
