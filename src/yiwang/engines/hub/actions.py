"""Taking deliveries in: whole, in pieces, or pushed. Loading them is the collector's work."""

import errno
import hashlib
import io
import json
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yiwang.kernel.access.contracts import SYSTEM, Actor, Refused
from yiwang.kernel.audit.api import record
from yiwang.kernel.orgs.models import Organisation
from yiwang.kernel.orgs.queries import STEWARD
from yiwang.kernel.packs import api as packs

from . import datasets
from .contracts import SPARE, Dataset, Mode
from .models import Delivery, State

REPORTER = "reporter"  # a role of posts, as the organisations pack names them
MOST_BYTES = 2 << 30
CHANNEL = "yiwang_hub"
BLOCK = 1 << 20
SINCE = 1949  # a moment before is a slip of the pen, or of a program


class OutOfStep(Refused):
    """A piece that does not continue the file; ``offset`` is where to go on."""

    def __init__(self, offset: int) -> None:
        super().__init__(_("这一段接不上：已收到 %(n)s 字节，请从那里接着传。") % {"n": offset})
        self.offset = offset


class DiskFull(Refused):
    """There is no room for the bytes now; those that have come stay, and the upload can go on later."""


def own_offices(actor: Actor, dataset: Dataset) -> list[Organisation]:
    """The offices for which the actor may deliver a dataset; without a word of his he does for the first."""
    held = [org for org, roles in actor.posts.items() if REPORTER in roles]
    found = Organisation.objects.filter(id__in=held, functions__contains=[dataset.department])
    return list(found.order_by("region_id", "name"))


def office_of(actor: Actor, dataset: Dataset, wanted: str | UUID | None = None) -> Organisation | None:
    """The office for which the actor delivers a dataset, or None when he may for none.

    Raises:
        Refused: the wanted one is none of his.
    """
    offices = own_offices(actor, dataset)
    if not wanted or not offices:
        return offices[0] if offices else None
    found = next((one for one in offices if str(one.id) == str(wanted)), None)
    if found is None:
        told = "、".join(f"{one.name}（{one.id}）" for one in offices)
        raise Refused(
            _("报送单位“%(x)s”不对：您不能以它的名义报送。可以选的：%(known)s")
            % {"x": str(wanted)[:40], "known": told}
        )
    return found


def is_steward(actor: Actor) -> bool:
    """Whether the actor looks after data in general."""
    return actor.system or any(STEWARD in roles for roles in actor.posts.values())


def require_office(actor: Actor, dataset: Dataset, wanted: Organisation | None = None) -> Organisation | None:
    """The office that delivers; the system does for any, or for none.

    Raises:
        Refused: the actor holds no reporting post in an office of the dataset's department, or not in the wanted one.
    """
    if actor.system:
        return wanted
    office = office_of(actor, dataset, wanted and wanted.id)
    if office is None:
        raise Refused(
            _(
                "“%(name)s”由%(department)s部门的数据归集岗报送，您没有这个岗位。请由来源部门报送，或请管理员设岗。"
            )
            % {"name": dataset.name, "department": dataset.department}
        )
    return office


def inbox(uid: UUID) -> Path:
    """Where a file lies until the collector has put it into the store. Shared by all web processes."""
    return _inbox() / str(uid)


def _inbox() -> Path:
    folder = Path(settings.ENV.var / "hub" / "inbox")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _room_for(size: int) -> None:
    free = shutil.disk_usage(_inbox()).free
    if free < size + SPARE:
        told = {"wanted": f"{(size + SPARE) / 2**30:.1f}", "free": f"{free / 2**30:.1f}"}
        raise DiskFull(
            _("磁盘空间不足：收这个文件约要 %(wanted)s GB，只剩 %(free)s GB。请管理员清理磁盘，之后再传。")
            % told
        )


def begin(
    actor: Actor,
    dataset: Dataset,
    name: str,
    size: int,
    as_of: datetime | None = None,
    mode: Mode | None = None,
    channel: str = "page",
    batch: str = "",
    office: Organisation | None = None,
) -> Delivery:
    """Open a delivery whose bytes come in pieces.

    Args:
        office: for which to deliver; a person may for his own, and does for the first of them if nothing is said.

    Raises:
        Refused: not the actor's dataset, empty, too large, or from the future; no room for it.
    """
    office = require_office(actor, dataset, office)
    as_of = as_of or timezone.now()
    if as_of > timezone.now() + timedelta(days=1):
        raise Refused(
            _("数据截止时间 %(at)s 在将来，请核对后重填。") % {"at": timezone.localtime(as_of).date()}
        )
    if as_of.year < SINCE:
        raise Refused(
            _("数据截止时间 %(at)s 不像真的，请核对后重填。") % {"at": timezone.localtime(as_of).date()}
        )
    if any(not c.isprintable() for c in name + batch):
        raise Refused(_("文件名和批次号里不能有看不见的控制字符，请改名后重报。"))
    if size <= 0:
        raise Refused(_("“%(name)s”是空文件，请重新选择。") % {"name": name})
    if size > MOST_BYTES and not actor.system:
        told = {"name": name, "n": size >> 20, "most": MOST_BYTES >> 20}
        raise Refused(
            _("“%(name)s”有 %(n)s MB，超过 %(most)s MB 的上限。请分成几份报送，或请管理员设定时拉取。") % told
        )
    _room_for(size)
    delivery = Delivery.objects.create(
        dataset=dataset.id,
        contract_version=dataset.version,
        release=packs.current_release(),
        org=office,
        actor=actor.label,
        actor_name=actor.name,
        channel=channel,
        name=name[-200:],
        batch=batch[:80],
        size=size,
        mode=mode or dataset.mode,
        as_of=as_of,
        state=State.RECEIVING,
    )
    inbox(delivery.uid).touch()
    return delivery


def append(actor: Actor, delivery: Delivery, offset: int, stream: BinaryIO) -> int:
    """Take a piece of the file; the last one closes it.

    Returns:
        bytes received so far.

    Raises:
        OutOfStep: the piece does not begin where the file ends; nothing is taken.
        DiskFull: what came stays.
        Refused: the delivery is closed, or the piece is longer than the file was said to be.
    """
    delivery = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if delivery.state != State.RECEIVING:
        raise Refused(_("这一批已经收完，不能再传。"))
    path = inbox(delivery.uid)
    there = path.stat().st_size if path.exists() else 0
    if offset != there:
        raise OutOfStep(there)
    try:
        there = _written(path, there, delivery.size, stream)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(
            _(
                "磁盘写满了，已经收到的留着。请管理员清理磁盘，之后选同一个文件再点上传，会从断开的地方接着传。"
            )
        ) from error
    if there == delivery.size:
        close(actor, delivery)
    return there


def _written(path: Path, there: int, size: int, stream: BinaryIO) -> int:
    """Append what comes; it stays when the connection breaks, so that the sender goes on from there."""
    with path.open("ab") as out:
        while block := stream.read(BLOCK):
            if out.tell() + len(block) > size:
                out.truncate(there)
                raise Refused(_("传来的比开始时说的 %(n)s 字节多，请重新上传。") % {"n": size})
            out.write(block)
        return out.tell()


def close(actor: Actor, delivery: Delivery) -> None:
    """The file is whole: hand it to the collector."""
    delivery.state = State.RECEIVED
    delivery.path = str(inbox(delivery.uid))
    delivery.save(update_fields=["state", "path"])
    record(actor, "hub.received", "delivery", delivery.uid, dataset=delivery.dataset, size=delivery.size)
    transaction.on_commit(wake)


def wake() -> None:
    """Tell the collector that there is work."""
    with connection.cursor() as cursor:
        cursor.execute(f"notify {CHANNEL}")


def receive(
    actor: Actor,
    dataset: Dataset,
    name: str,
    stream: BinaryIO,
    size: int,
    as_of: datetime | None = None,
    mode: Mode | None = None,
    channel: str = "page",
    batch: str = "",
    office: Organisation | None = None,
) -> Delivery:
    """Take a whole file, or nothing. Arguments and errors are those of ``begin`` and ``append``."""
    delivery = None
    try:
        with transaction.atomic():
            delivery = begin(actor, dataset, name, size, as_of, mode, channel, batch, office)
            append(actor, delivery, 0, stream)
    except Exception:
        if delivery is not None:  # nobody goes on with it
            inbox(delivery.uid).unlink(missing_ok=True)
        raise
    delivery.refresh_from_db()
    return delivery


def nothing_new(
    actor: Actor, dataset: Dataset, as_of: datetime | None = None, office: Organisation | None = None
) -> Delivery:
    """Say that nothing has changed up to a moment: a delivery of no record. Arguments and errors as of ``begin``."""
    content = (",".join(f.name for f in dataset.fields) + "\n").encode()
    name = _("本期没有变化") + ".csv"
    return receive(actor, dataset, name, io.BytesIO(content), len(content), as_of, Mode.CHANGE, office=office)


def push(
    actor: Actor,
    dataset: Dataset,
    records: Iterable[dict],
    batch: str,
    as_of: datetime,
    mode: Mode = Mode.CHANGE,
    office: Organisation | None = None,
) -> tuple[Delivery, bool]:
    """Keep pushed records as a delivery; the same batch again is the same delivery.

    Returns:
        the delivery, and whether it is new.

    Raises:
        Refused: not the actor's dataset; or the batch's mark was used for other records.
    """
    content = b"".join(json.dumps(r, ensure_ascii=False, default=str).encode() + b"\n" for r in records)
    sha256 = hashlib.sha256(content).hexdigest()
    office = require_office(actor, dataset, office)
    known = (
        Delivery.objects.filter(dataset=dataset.id, actor=actor.label, batch=batch).first() if batch else None
    )
    if known is not None:
        if known.name != f"{sha256[:16]}.jsonl":
            raise Refused(_("批次号 %(batch)s 已经用过，内容不同。换一个批次号再推。") % {"batch": batch})
        return known, False
    name = f"{sha256[:16]}.jsonl"
    stream, size = io.BytesIO(content), len(content)
    return receive(actor, dataset, name, stream, size, as_of, mode, "api", batch, office), True


def by_system(
    dataset_id: str,
    name: str,
    path: Path,
    as_of: datetime | None = None,
    mode: Mode | None = None,
    channel: str = "system",
) -> Delivery:
    """A file that the platform fetched or an operator has: taken in as the system."""
    dataset = datasets.current(dataset_id)
    with path.open("rb") as stream:
        return receive(SYSTEM, dataset, name, stream, path.stat().st_size, as_of, mode, channel)
