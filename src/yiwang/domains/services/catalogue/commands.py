"""`yiwang packs import-catalogue`: what an operator reads on the terminal."""

import json
import sys
from collections import Counter
from pathlib import Path

from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting

from .actions import import_catalogue
from .contracts import Finding, Grade, NotACatalogue
from .queries import current_standard


class _Told:
    """Prints findings as they come: as text, or as members of one JSON object."""

    def __init__(self, as_json: bool) -> None:
        self._json, self._first = as_json, True
        self._row, self._missing = 0, [""]
        self._lacking: Counter[tuple[str, str]] = Counter()
        if as_json:
            sys.stdout.write('{"findings": [')

    def tell(self, finding: Finding) -> None:
        if self._json:
            sys.stdout.write("" if self._first else ", ")
            told = {f: getattr(finding, f) for f in ("grade", "row", "column", "value", "what", "remedy")}
            sys.stdout.write(json.dumps(told, ensure_ascii=False))
            self._first = False
            return
        if finding.row != self._row:
            self._flush()
            self._row = finding.row
        if finding.grade is Grade.MISSING:
            self._missing.append(f"{finding.column}{finding.what}" if finding.value else finding.column)
            self._lacking[finding.column, finding.remedy] += 1
        else:
            print(f"{finding.grade} {finding}")

    def _flush(self) -> None:
        missing, self._missing = self._missing[1:], [""]
        if missing:
            print(f"收下 第 {self._row} 行，发布前还缺：{'、'.join(missing)}")

    def end(self, result: dict) -> None:
        if self._json:
            sys.stdout.write("], " + json.dumps(result, ensure_ascii=False)[1:] + "\n")
            return
        self._flush()
        if self._lacking:
            print("怎么补：")
            for (column, remedy), n in self._lacking.most_common():
                print(f"  {column}（{n} 行）：{remedy}")


def run_import(file: Path, source: str, check_only: bool, as_json: bool) -> int:
    """Import a catalogue file; 1 when rows were refused, 2 when the file could not be read at all."""
    told = _Told(as_json)
    try:
        with file.open("rb") as stream, acting(SYSTEM):
            counts = import_catalogue(
                SYSTEM, stream, file.name, source, current_standard(), told.tell, check_only
            )
    except (OSError, NotACatalogue) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        told.end({"error": what})
        print(f"{file.name}：{what}", file=sys.stderr)
        return 2
    told.end({"source": source, "check_only": check_only, "counts": counts})
    if not as_json:
        print(
            "{rows} 行：收下 {good}（其中要素完整 {complete}），不收 {refused}。"
            "新增 {added}，变更 {changed}，恢复 {restored}，取消 {cancelled}，没有变化 {unchanged}".format(
                **counts
            )
            + ("。只是检查，什么也没有写" if check_only else "")
        )
    return 1 if counts["refused"] else 0
