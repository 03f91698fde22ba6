"""`yiwang ledger`: sign a head, export, verify."""

import json
import sys
from pathlib import Path

from .common import Groups, add, django_ready


def _ledger(args) -> int:
    """``verify`` needs files alone; the others the database."""
    from yiwang.kernel.ledger.checkpoint import NotSigned
    from yiwang.kernel.ledger.verify import verify

    if args.what == "verify":
        try:
            report = verify(Path(args.folder))
        except (OSError, NotSigned) as error:
            print(f"读不了 {args.folder}：{error}。请先用 yiwang ledger export 导出。", file=sys.stderr)
            return 2
        if args.json:
            print(json.dumps(vars(report), ensure_ascii=False))
        else:
            print("\n".join(report.faults) or "账本完整，没有发现改动")
            print(f"{report.entries} 条，其中 {report.erased} 条已删除个人信息；{report.heads} 个签名树头")
        return 1 if report.faults else 0
    django_ready()
    from yiwang.kernel.ledger import heads
    from yiwang.kernel.ledger.export import export

    if args.what == "export":
        print(f"已导出 {export(Path(args.folder))} 条到 {args.folder}")
        return 0
    made = heads.publish()
    print(made.note if made else "没有新的账目，不用再签", end="" if made else "\n")
    return 0


def commands(to: Groups) -> None:
    ledger = add(to, "ledger", _ledger, "the data ledger: export it, sign a head now, verify an export", True)
    ledger.add_argument("what", choices=["head", "export", "verify"])
    ledger.add_argument("folder", nargs="?", default="ledger", help="of the export")
