"""Signed tree heads: made hourly, taken by outside witnesses from the page, a folder or e-mail."""

from functools import cache
from urllib.parse import urlparse

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.db import connection
from django.utils import timezone

from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.notify.ports import sender

from . import checkpoint, tiles
from .models import Head
from .sequencing import append_pending, fetch, size
from .tree import complete_subtrees, root_of

EVERY_SECONDS = 3600


class NoKey(RuntimeError):
    """Outside demo mode no key is configured, so no head can be signed."""


@cache
def key() -> Ed25519PrivateKey:
    """The key that signs heads.

    Raises:
        NoKey: there is none.
    """
    if not settings.ENV.ledger_key:
        raise NoKey("没有账本签名密钥：请设置 YIWANG_LEDGER_KEY（Ed25519 私钥的 PEM 文件）")
    loaded = load_pem_private_key(settings.ENV.ledger_key.encode(), None)
    if not isinstance(loaded, Ed25519PrivateKey):
        raise NoKey("YIWANG_LEDGER_KEY 不是 Ed25519 私钥")
    return loaded


def origin() -> str:
    """The log's name: this installation's address without the scheme."""
    return f"{urlparse(settings.ENV.base_url).netloc}/ledger"


def verifier_key() -> str:
    """The public key in one line."""
    return checkpoint.verifier_key(origin(), key().public_key())


def latest() -> Head | None:
    """The head that was given out last."""
    return Head.objects.order_by("-size").first()


def root(n: int) -> bytes:
    """The root of the first ``n`` leaves."""
    needed = {tiles.subtree_key(*part) for part in complete_subtrees(0, n)}
    return root_of(0, n, tiles.reader(fetch(needed)))


def publish() -> Head | None:
    """Append what waits, sign the tree as it is and hand the head to the witnesses; None when nothing is new."""
    while append_pending():
        pass
    with acting(SYSTEM):
        n, before = size(), latest()
        if n == 0 or (before and before.size == n):
            return None
        at = timezone.now()
        head = checkpoint.Checkpoint(origin(), n, root(n), (at.isoformat(timespec="seconds"),))
        note = checkpoint.sign(head, origin(), key())
        with connection.cursor() as cursor:
            cursor.execute("select ledger_publish(%s, %s, %s)", [n, head.root, note])
        _to_folder(n, note)
        made = Head.objects.get(size=n)
    _to_mail(made)
    return made


def _to_folder(n: int, note: str) -> None:
    folder = settings.ENV.var / "ledger"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"checkpoint-{n:020d}.txt").write_text(note, encoding="utf-8")


def _to_mail(head: Head) -> None:
    """E-mail to each witness; one that cannot be reached does not hold the others up."""
    way = sender("email") if settings.ENV.ledger_witnesses else None
    if way is None:
        return
    for address in settings.ENV.ledger_witnesses:
        try:
            way.send(address, f"{origin()} {head.size}", head.note)
        except Exception as error:  # a gateway's own kind of failure; the next head tells as much
            import logging

            logging.getLogger(__name__).warning("witness %s not reached: %s", address, error)
    with acting(SYSTEM), connection.cursor() as cursor:
        cursor.execute("select ledger_mailed(%s)", [head.size])
