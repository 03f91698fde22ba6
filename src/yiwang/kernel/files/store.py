"""Bytes by their hash, on disk under ``var/files``."""

import hashlib
import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings


def _path(sha256: str) -> Path:
    return settings.ENV.var / "files" / sha256[:2] / sha256


def put(content: bytes) -> str:
    """Store bytes; returns their SHA-256. Atomic and harmless to repeat."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = _path(sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
        os.replace(part.name, path)
    return sha256


def get(sha256: str) -> bytes:
    """The bytes of a hash. Raises FileNotFoundError."""
    return _path(sha256).read_bytes()


def path_of(sha256: str) -> Path:
    """Where the bytes of a hash lie, for readers that stream. It need not be there."""
    return _path(sha256)


def hash_of(file: Path) -> str:
    """The SHA-256 of a file of any size."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def put_file(file: Path, sha256: str = "") -> str:
    """Move a file of any size into the store; returns its SHA-256 (computed unless given). Harmless to repeat."""
    sha256 = sha256 or hash_of(file)
    path = _path(sha256)
    if path.exists():
        file.unlink()
        return sha256
    path.parent.mkdir(parents=True, exist_ok=True)
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
    try:
        os.replace(file, path)
    except OSError:  # another file system
        part = path.parent / f"{path.name}.part"
        shutil.copyfile(file, part)
        os.replace(part, path)
        file.unlink()
    return sha256
