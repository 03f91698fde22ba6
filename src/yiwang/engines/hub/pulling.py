"""Fetching deliveries: from a folder, an S3-compatible store, or a PostgreSQL database, every so many hours.

Where from, and with what password, is a setting of the operator's (``YIWANG_PULL_NAME``); the pack names it. A
file is known by its name, size and time, and is fetched once.
"""

import fnmatch
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

import psycopg
from django.conf import settings
from django.utils import timezone

from yiwang.kernel.access.contracts import SYSTEM, Refused
from yiwang.kernel.access.session import acting
from yiwang.kernel.events.api import emit_on
from yiwang.kernel.ids import new_id

from . import actions, datasets
from .collect import connect
from .contracts import Dataset, Pull
from .models import Delivery
from .standing import hold

log = logging.getLogger(__name__)
SETTING = "YIWANG_PULL_"
SETTLED = timedelta(seconds=5)  # a file that was touched later than this may still be being written


def pull_due() -> int:
    """Fetch what is due; returns how many deliveries came.

    A source that fails is tried again next time; ``hub.pull_failed`` and ``hub.pulled`` tell those who look after data.
    """
    came = 0
    for dataset in datasets.every():
        if dataset.pull is None or dataset.pull.setting not in settings.ENV.pulls:
            continue
        with connect() as con:
            row = con.execute("select pulled_at from hub_holding where dataset = %s", [dataset.id]).fetchone()
            if row and row[0] and timezone.now() - row[0] < timedelta(hours=dataset.pull.hours):
                continue
            told = {"dataset": dataset.id, "name": dataset.name, "setting": SETTING + dataset.pull.setting}
            try:
                came += pull(dataset)
                emit_on(con, "hub.pulled", told)
            except (OSError, ValueError, Refused, psycopg.Error) as error:
                log.warning("pull of %s failed: %s", dataset.id, error)
                emit_on(con, "hub.pull_failed", {**told, "why": _without_secrets(dataset.pull, error)})
            hold(con, dataset)
            con.execute("update hub_holding set pulled_at = now() where dataset = %s", [dataset.id])
    return came


def _without_secrets(pull: Pull, error: Exception) -> str:
    """What went wrong, in a line, without the password that the connection may hold."""
    password = urlparse(settings.ENV.pulls[pull.setting]).password or ""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    for secret in {password, unquote(password)} - {""}:
        text = text.replace(secret, "***")
    return text[:200]


def pull(dataset: Dataset, connection: str = "") -> int:
    """Fetch everything new of one dataset.

    Args:
        connection: in place of the setting: a folder, an ``s3://`` or a ``postgresql://`` URL.

    Raises:
        ValueError: the contract has no pull, or the setting is absent or of the wrong kind.
        OSError, psycopg.Error: the source does not answer.
    """
    if dataset.pull is None:
        raise ValueError(f"{dataset.name}的合同没有写 pull")
    where = connection or settings.ENV.pulls.get(dataset.pull.setting, "")
    if not where:
        raise ValueError(f"没有设置 {SETTING}{dataset.pull.setting}：写上从哪里取")
    ways = {"folder": _folder, "s3": _s3, "database": _database}
    return sum(_take(dataset, *one) for one in ways[dataset.pull.source](dataset.pull, where))


def _take(dataset: Dataset, name: str, mark: str, as_of: datetime, fetch: Any) -> bool:
    with acting(SYSTEM):
        if Delivery.objects.filter(dataset=dataset.id, actor=SYSTEM.label, batch=mark[-80:]).exists():
            return False
    with _scratch() as file:
        fetch(file)
        if file.stat().st_size == 0:
            return False
        with acting(SYSTEM), file.open("rb") as stream:
            actions.receive(
                SYSTEM, dataset, name, stream, file.stat().st_size, as_of, None, "pull", mark[-80:]
            )
    return True


@contextmanager
def _scratch() -> Iterator[Path]:
    file = actions.inbox(new_id())
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def _folder(pull: Pull, where: str) -> Iterator[tuple[str, str, datetime, Any]]:
    if not Path(where).is_dir():  # a mount that went away is not an empty folder
        raise FileNotFoundError(f"没有文件夹 {where}，或者没有挂载")
    for file in sorted(Path(where).glob(pull.path), key=lambda f: f.stat().st_mtime):
        told = file.stat()
        at = datetime.fromtimestamp(told.st_mtime, UTC)
        if file.is_file() and timezone.now() - at > SETTLED:
            mark = f"{file.name}:{told.st_size}:{int(told.st_mtime)}"
            yield file.name, mark, at, lambda to, file=file: shutil.copyfile(file, to)


def _s3(pull: Pull, where: str) -> Iterator[tuple[str, str, datetime, Any]]:
    """``s3://KEY:SECRET@host:port?scheme=http&region=…``; the contract's path is bucket/prefix/*.csv."""
    from pyarrow import fs

    parts = urlparse(where)
    query = parse_qs(parts.query)
    store = fs.S3FileSystem(
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        endpoint_override=parts.netloc.rpartition("@")[2],
        scheme=query.get("scheme", ["https"])[0],
        region=query.get("region", ["us-east-1"])[0],
    )
    yield from _from_store(store, pull.path)


def _from_store(store: Any, pattern: str) -> Iterator[tuple[str, str, datetime, Any]]:
    from pyarrow import fs

    folder = pattern.split("*", 1)[0].rpartition("/")[0]
    for info in store.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True)):
        if info.type != fs.FileType.File or not fnmatch.fnmatch(info.path, pattern):
            continue

        def fetch(to: Path, path: str = info.path) -> None:
            with store.open_input_stream(path) as source, to.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)

        at = info.mtime or timezone.now()
        yield info.base_name, f"{info.base_name}:{info.size}:{int(at.timestamp())}", at, fetch


def _database(pull: Pull, where: str) -> Iterator[tuple[str, str, datetime, Any]]:
    """The contract's query, read only, in one snapshot, as CSV. Its moment is that of the source's clock."""
    if not where.startswith(("postgresql://", "postgres://")):
        raise ValueError("数据库的连接写成 postgresql://用户:密码@主机/库")
    with psycopg.connect(where) as con:
        con.read_only = True
        (now,) = con.execute("select now()").fetchone() or (timezone.now(),)

        def fetch(to: Path) -> None:
            query = psycopg.sql.SQL(pull.query)  # type: ignore[arg-type]
            statement = psycopg.sql.SQL("copy ({}) to stdout (format csv, header)").format(query)
            with con.cursor().copy(statement) as copy, to.open("wb") as out:
                for block in copy:
                    out.write(block)

        yield (
            f"{now:%Y%m%d-%H%M%S}.csv",
            f"{os.path.basename(urlparse(where).path)}:{now.isoformat()}",
            now,
            fetch,
        )
