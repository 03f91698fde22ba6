"""The packs in force, and those a case began with."""

import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from yiwang.kernel.events.api import emit

from .contracts import Library
from .loader import parse
from .models import PackFile, Release

CHECK_SECONDS = 1.0
SUFFIXES = {".yaml", ".bpmn", ".typ", ".csv"}
_latest: tuple[float, str] | None = None


class NothingLoaded(RuntimeError):
    """No packs have been loaded yet."""


def load(root: Path) -> tuple[str, bool]:
    """Put a checked tree in force, new or gone back to. Call only with a tree that ``check`` found clean.

    Returns:
        the release's hash, and whether it was not in force already.
    """
    global _latest
    contents = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix in SUFFIXES
    }
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    sha256 = hashlib.sha256("\n".join(f"{n} {h}" for n, h in hashes.items()).encode()).hexdigest()
    with transaction.atomic():
        PackFile.objects.bulk_create(
            [PackFile(sha256=hashes[n], content=c) for n, c in contents.items()], ignore_conflicts=True
        )
        before = Release.objects.order_by("-loaded").values_list("sha256", flat=True).first()
        Release.objects.get_or_create(sha256=sha256, defaults={"files": hashes})
        if before != sha256:
            Release.objects.filter(sha256=sha256).update(loaded=timezone.now())
            emit("packs.loaded", {"release": sha256})
    _latest = None
    return sha256, before != sha256


def unpack(release: str, root: Path) -> None:
    """Write the files of a release into a folder, as they were loaded."""
    files = Release.objects.get(sha256=release).files
    contents = dict(PackFile.objects.filter(sha256__in=files.values()).values_list("sha256", "content"))
    for name, sha256 in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(contents[sha256]))


@contextmanager
def tree_with(path: str, content: str) -> Iterator[Path]:
    """The tree in force, with one file as proposed, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        unpack(current_release(), root)
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        yield root


def current_release() -> str:
    """The hash of the release in force, asked of the database at most once a second.

    Raises:
        NothingLoaded: ``yiwang packs load`` has not run.
    """
    global _latest
    now = time.monotonic()
    if _latest is None or now - _latest[0] > CHECK_SECONDS:
        sha256 = Release.objects.order_by("-loaded").values_list("sha256", flat=True).first()
        if sha256 is None:
            raise NothingLoaded("还没有装载任何包：请运行 yiwang packs load")
        _latest = (now, sha256)
    return _latest[1]


def current() -> Library:
    """The library in force."""
    return library(current_release())


@lru_cache(maxsize=4)
def library(release: str) -> Library:
    """The library of a release, in force or of old."""
    files = Release.objects.get(sha256=release).files
    wanted = {name: sha for name, sha in files.items() if name.endswith(".yaml")}
    contents = dict(PackFile.objects.filter(sha256__in=wanted.values()).values_list("sha256", "content"))
    packs = (parse(bytes(contents[sha]), name)[0] for name, sha in wanted.items())
    return Library(pack for pack in packs if pack is not None)


@lru_cache(maxsize=64)
def asset(release: str, name: str) -> bytes:
    """A flow, template or table of a release by its file name.

    Raises:
        KeyError: the release has no such file.
    """
    sha256 = Release.objects.get(sha256=release).files[name]
    return bytes(PackFile.objects.values_list("content", flat=True).get(sha256=sha256))
