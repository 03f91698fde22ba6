"""`yiwang ledger`: sign a head, export, verify an export or a downloaded proof, erase somebody's details."""

import json
import sys
from pathlib import Path

from .common import Groups, add, django_ready, group


def _verify(args) -> int:
    """Needs files alone: no database, no secret."""
    from yiwang.kernel.ledger.checkpoint import NotSigned

    path = Path(args.path)
    try:
        return _verify_proof(path, args) if path.is_file() else _verify_export(path, args)
    except (OSError, NotSigned, UnicodeDecodeError) as error:
        print(
            f"读不了 {args.path}：{error}。要核对账本，请给出 yiwang ledger export 导出的文件夹；"
            "要核对一条使用记录，请给出下载的 use-….json。",
            file=sys.stderr,
        )
        return 2


def _verify_export(folder: Path, args) -> int:
    from yiwang.kernel.ledger.verify import verify

    report = verify(folder, witness=_path(args.head), key_file=_path(args.key))
    if args.json:
        print(json.dumps(vars(report), ensure_ascii=False))
        return 1 if report.faults else 0
    print("\n".join(report.faults) or f"前 {report.signed} 条完整，没有发现改动")
    print(f"{report.entries} 条，其中 {report.erased} 条已删除个人信息；{report.heads} 个签名树头")
    if report.unprotected:
        print(f"最后 {report.unprotected} 条在最新的树头之后，还没有树头保护：其中少了几条，从导出里看不出来")
    if report.witnessed:
        print(f"与见证人保存的树头（{report.witnessed} 条）核对过")
    else:
        print("导出连同最后的树头一起被截短，只有与见证人保存的树头核对才看得出来：--head 文件")
    return 1 if report.faults else 0


def _verify_proof(file: Path, args) -> int:
    from yiwang.kernel.ledger.evidence import check

    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        print(f"{file} 不是 JSON（{error}）：请重新下载证明", file=sys.stderr)
        return 2
    if not isinstance(told, dict):
        print(f"{file} 不是一份证明：请在“谁用过我的数据”里重新下载", file=sys.stderr)
        return 2
    key, head = (Path(p).read_text(encoding="utf-8") if p else "" for p in (args.key, args.head))
    found = check(told, key, head)
    if args.json:
        print(json.dumps(vars(found), ensure_ascii=False))
        return 1 if found.faults else 0
    print(
        "\n".join(found.faults)
        or f"证明有效：这是账本的第 {found.position} 条，在 {found.size} 条的签名树头之下"
    )
    for name, value in found.facts.items():
        print(f"  {name}: {value or '—'}")
    if found.own_key:
        print("公钥取自文件本身：请与平台公布的（/ledger/key）或见证人手里的核对，或用 --key 文件 给出")
    return 1 if found.faults else 0


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _export(args) -> int:
    django_ready()
    from yiwang.kernel.ledger.export import export

    folder = Path(args.folder)
    try:
        entries = export(folder)
    except OSError as error:
        print(f"写不了 {folder}：{error}。请换一个可写的文件夹。", file=sys.stderr)
        return 2
    told = {"folder": str(folder.resolve()), "entries": entries}
    print(json.dumps(told, ensure_ascii=False) if args.json else f"已导出 {entries} 条到 {told['folder']}")
    return 0


def _head(args) -> int:
    django_ready()
    from yiwang.kernel.ledger import heads

    try:
        made = heads.publish()
    except heads.NoKey as missing:
        print(missing, file=sys.stderr)
        return 2
    if args.json:
        told = {"size": made.size, "root": bytes(made.root).hex(), "note": made.note} if made else {}
        print(json.dumps({"new": made is not None, **told}, ensure_ascii=False))
    else:
        print(made.note if made else "没有新的账目，不用再签", end="" if made else "\n")
    return 0


def _erase(args) -> int:
    django_ready()
    from yiwang.kernel.access.contracts import SYSTEM, Refused
    from yiwang.kernel.access.session import acting
    from yiwang.kernel.ledger import erasing

    which = args.which
    if which == "-":  # a number is never an argument: those are seen by every process
        which = sys.stdin.readline().strip()
    try:
        with acting(SYSTEM):
            done = erasing.erase(SYSTEM, which, args.reason, args.by)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps({"erased": done.erased, "kept": done.kept}))
        return 0
    print(f"已删除 {done.erased} 条的主体和盐：从此看不出、也验不出它们是谁的。")
    print("承诺值、树、树头和已经签出的证明不变；谁、何时、为什么读取仍在；删除本身记在账本和审计里。")
    if done.kept:
        print(f"{done.kept} 条是调查中的使用，还没有到告知本人的日子，没有删除。")
    return 0


def commands(to: Groups) -> None:
    ledger = group(to, "ledger", "the data ledger: export it, sign a head now, verify, erase")
    add(ledger, "head", _head, "sign a head of the ledger now, if there is something new", True)
    export = add(ledger, "export", _export, "write the ledger to a folder, for anybody to verify", True)
    export.add_argument("folder", help="where to; it is made if it is missing")
    verify = add(
        ledger,
        "verify",
        _verify,
        "check an export, or the proof of one use, without database or secret",
        True,
    )
    verify.add_argument("path", help="folder of an export, or a downloaded use-….json")
    verify.add_argument("--head", default="", help="file with a head that an outside witness has kept")
    verify.add_argument("--key", default="", help="file with the public key from elsewhere (/ledger/key)")
    erase = add(ledger, "erase", _erase, "erase whose data entries are about; the tree and proofs stay", True)
    erase.add_argument(
        "which", help="id of an entry, of a person or an enterprise; - reads a number from stdin"
    )
    erase.add_argument("--reason", required=True, help="why, for the audit; no personal details")
    erase.add_argument("--by", required=True, help="who decided it: name and post")
