"""Importing a catalogue: one file, one transaction, one audit event."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO
from uuid import UUID

from django.db import transaction

from yiwang.kernel.access.contracts import Actor
from yiwang.kernel.audit.api import record
from yiwang.kernel.ids import new_id

from .codes import read as read_code
from .contracts import Cells, Finding, Grade, Row, Standard
from .models import CatalogueChange, CatalogueImport, CatalogueItem
from .reader import Reader
from .rules import judge

AT_ONCE = 1000  # rows in memory
_FIELDS = ("base_code", "name", "type", "department", "region", "elements")
_CHANGES = ("added", "changed", "restored", "cancelled")


def import_catalogue(
    actor: Actor,
    stream: BinaryIO,
    file: str,
    source: str,
    standard: Standard,
    tell: Callable[[Finding], None],
    check_only: bool = False,
) -> dict[str, int]:
    """Bring a catalogue up to date with a file. The same file again changes nothing.

    Args:
        stream: the file, seekable; read once, never held whole.
        source: whose catalogue it is. Items of the same source that are not in the file are cancelled.
        tell: given each finding as it is made.
        check_only: report, and write nothing.

    Returns:
        counts: rows, good, refused, complete, added, changed, restored, cancelled, unchanged.

    Raises:
        NotACatalogue: the file as a whole cannot be read; nothing is written.
    """
    source, file = source[:80], file[:200]
    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    reader = Reader(stream, standard)
    for notice in reader.notices:
        tell(notice)
    counts: Counter[str] = Counter(
        dict.fromkeys(("rows", "good", "refused", "complete", "unchanged", *_CHANGES), 0)
    )
    run = _Import(new_id(), source, counts, tell)
    with transaction.atomic():
        for rows in _batches(run.judged(reader, standard), AT_ONCE):
            run.store(rows)
        if counts["good"]:
            run.cancel()
        if check_only or not any(counts[k] for k in _CHANGES):
            transaction.set_rollback(True)
        else:
            CatalogueImport.objects.create(
                id=run.id, source=source, file=file, sha256=sha256, counts=dict(counts)
            )
            record(actor, "catalogue.imported", "catalogue", run.id, source=source, sha256=sha256, **counts)
    return dict(counts)


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class _Import:
    """One import between batches. What the file had before is asked of the database, not remembered."""

    def __init__(self, id: UUID, source: str, counts: Counter[str], tell: Callable[[Finding], None]) -> None:
        self.id, self.source, self.counts, self.tell = id, source, counts, tell
        self._refused: list[str] = []  # codes of rows that were refused: what was known of them stays

    def judged(self, reader: Reader, standard: Standard) -> Iterator[Row]:
        """The rows that are good by themselves."""
        for cells in reader:
            self.counts["rows"] += 1
            row, findings = (None, [cells]) if isinstance(cells, Finding) else judge(cells, standard)
            for finding in findings:
                self.tell(finding)
            if row is not None:
                self.counts["complete"] += not any(f.grade is Grade.MISSING for f in findings)
                yield row
                continue
            self.counts["refused"] += 1
            code = read_code(cells.values.get("code", ""))[0] if isinstance(cells, Cells) else None
            if code is not None:
                self._refused.append(code.text)

    def store(self, rows: list[Row]) -> None:
        known = {i.code: i for i in CatalogueItem.objects.filter(code__in=[r.code for r in rows])}
        names = self._names(rows)
        added: list[CatalogueItem] = []
        updated: list[CatalogueItem] = []
        same: list[int] = []
        changes: list[CatalogueChange] = []
        for row in rows:
            item = known.get(row.code)
            if item is not None and self._refuse(row, item):
                continue
            self.counts["good"] += 1
            self._same_name(row, names)
            values = {f: getattr(row, f) for f in _FIELDS} | {"elements": dict(row.elements)}
            if item is None:
                item = known[row.code] = CatalogueItem(code=row.code, source=self.source)
                what, before = "added", {}
                added.append(item)
            else:
                before = {f: getattr(item, f) for f in _FIELDS if getattr(item, f) != values[f]}
                what = "restored" if item.cancelled else "changed" if before else "unchanged"
                if what == "unchanged" and item.row == row.row:
                    same.append(item.id)
                else:
                    updated.append(item)
            for name, value in values.items():
                setattr(item, name, value)
            item.row, item.cancelled, item.seen_id = row.row, False, self.id
            self.counts[what] += 1
            if what != "unchanged":
                changes.append(CatalogueChange(item=item, during_id=self.id, what=what, before=before))
        CatalogueItem.objects.bulk_create(added)
        CatalogueItem.objects.filter(id__in=same).update(seen_id=self.id)
        CatalogueItem.objects.bulk_update(updated, [*_FIELDS, "row", "cancelled", "seen"], batch_size=500)
        CatalogueChange.objects.bulk_create(changes)

    def _refuse(self, row: Row, item: CatalogueItem) -> bool:
        if item.source != self.source:
            what = f"已在来源“{item.source}”里"
            remedy = f"同一份目录用同一个来源名：加 --source {item.source}；否则核对编码"
        elif item.seen_id == self.id:
            what, remedy = f"与第 {item.row} 行重复", "一个编码只留一行"
        else:
            return False
        self.counts["refused"] += 1
        self.tell(Finding(row.row, "实施编码", row.code, what, remedy, Grade.REFUSED))
        return True

    def _names(self, rows: list[Row]) -> dict[tuple[str, str], tuple[int, str]]:
        """(name, department) → (row, code) of what this file had before this batch."""
        found = CatalogueItem.objects.filter(
            source=self.source, seen_id=self.id, name__in={r.name for r in rows}
        )
        return {(i.name, i.department): (i.row, i.code) for i in found}

    def _same_name(self, row: Row, names: dict[tuple[str, str], tuple[int, str]]) -> None:
        first, _code = names.setdefault((row.name, row.department), (row.row, row.code))
        if first != row.row:
            what = f"与第 {first} 行同名同部门，编码不同"
            self.tell(
                Finding(row.row, "事项名称", row.name, what, "核对是不是同一事项，是的只留一行", Grade.NOTICE)
            )

    def cancel(self) -> None:
        """Cancel the items of this source that the file no longer has. A bad row is still a row."""
        mine = CatalogueItem.objects.filter(source=self.source)
        for n in range(0, len(self._refused), AT_ONCE):
            mine.filter(code__in=self._refused[n : n + AT_ONCE]).update(seen_id=self.id)
        gone = mine.filter(cancelled=False).exclude(seen_id=self.id)
        ids = list(gone.values_list("id", flat=True))
        self.counts["cancelled"] = len(ids)
        CatalogueChange.objects.bulk_create(
            [CatalogueChange(item_id=i, during_id=self.id, what="cancelled") for i in ids], batch_size=1000
        )
        gone.update(cancelled=True)
