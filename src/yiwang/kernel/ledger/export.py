"""Write what `yiwang ledger verify` needs: see verify.py for the files."""

import base64
import json
from pathlib import Path

from django.db import connection, transaction

from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import announce

from .heads import verifier_key
from .models import Head
from .sequencing import append_pending

_ENTRIES = """
select e.commitment, e.salt, e.subject, e.found, u.text, u.salt
from ledger_leaf l join ledger_entry e on e.id = l.entry_id join ledger_use u on u.id = e.use_id
order by l.position
"""


def export(folder: Path) -> int:
    """Export everything, with what waits for its place put in first; returns how many entries.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    while append_pending():
        pass
    (folder / "key.txt").write_text(verifier_key() + "\n", encoding="utf-8")
    written = 0
    with transaction.atomic():
        announce(SYSTEM)
        notes = Head.objects.order_by("size").values_list("note", flat=True)
        (folder / "checkpoints.txt").write_text("===\n".join(notes), encoding="utf-8")
        with (folder / "entries.jsonl").open("w", encoding="utf-8") as out, connection.cursor() as cursor:
            cursor.execute(f"declare entries no scroll cursor for {_ENTRIES}")
            while True:
                cursor.execute("fetch 5000 from entries")
                rows = cursor.fetchall()
                if not rows:
                    break
                for row in rows:
                    out.write(json.dumps(_line(*row), ensure_ascii=False) + "\n")
                written += len(rows)
    return written


def _line(commitment, salt, subject, found, text, use_salt) -> dict:
    return {
        "commitment": _b64(commitment),
        "salt": _b64(salt),
        "subject": _b64(subject),
        "found": found,
        "text": text,
        "use_salt": _b64(use_salt),
    }


def _b64(value) -> str | None:
    return None if value is None else base64.b64encode(bytes(value)).decode()
