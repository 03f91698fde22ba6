"""Signed tree heads as text that outside witnesses can keep: size, root, signature. Pure.

The form is that of transparency logs' checkpoints: a signed note whose text is origin, size and root.
Ed25519; the key's name and number stand before the signature, so a witness may add its own line.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519 = b"\x01"
_DASH = "\u2014 "  # the note's mark before a signature


class NotSigned(ValueError):
    """The text is no checkpoint of this log, or its signature does not fit."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: how many leaves, and their root."""

    origin: str
    size: int
    root: bytes
    extra: tuple[str, ...] = ()  # further lines, such as the moment

    def text(self) -> str:
        """What is signed."""
        return (
            "\n".join((self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extra)) + "\n"
        )


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(name: str, key: Ed25519PublicKey) -> bytes:
    """Four bytes that name a key."""
    return sha256(name.encode() + b"\n" + _ED25519 + _raw(key)).digest()[:4]


def verifier_key(name: str, key: Ed25519PublicKey) -> str:
    """The public key in one line, for witnesses."""
    return f"{name}+{key_id(name, key).hex()}+{base64.b64encode(_ED25519 + _raw(key)).decode()}"


def read_verifier_key(line: str) -> tuple[str, Ed25519PublicKey]:
    """Name and key of a line made by ``verifier_key``.

    Raises:
        NotSigned: it is not one.
    """
    try:
        name, number, encoded = line.strip().split("+", 2)
        data = base64.b64decode(encoded, validate=True)
        key = Ed25519PublicKey.from_public_bytes(data[1:])
    except ValueError as error:
        raise NotSigned("公钥一行的格式不对：名称+编号+Base64") from error
    if data[:1] != _ED25519 or key_id(name, key).hex() != number:
        raise NotSigned("公钥的编号与内容不符")
    return name, key


def sign(head: Checkpoint, name: str, key: Ed25519PrivateKey) -> str:
    """The signed note."""
    text = head.text()
    signature = key_id(name, key.public_key()) + key.sign(text.encode())
    return f"{text}\n{_DASH}{name} {base64.b64encode(signature).decode()}\n"


def read(note: str, name: str, key: Ed25519PublicKey) -> Checkpoint:
    """The head in a signed note.

    Raises:
        NotSigned: malformed, or not signed by this key.
    """
    text, blank, signatures = note.partition("\n\n")
    text += "\n"
    wanted = key_id(name, key)
    for line in signatures.splitlines() if blank else ():
        signer, _space, encoded = line.removeprefix(_DASH).rpartition(" ")
        try:
            signature = base64.b64decode(encoded, validate=True)
            if line.startswith(_DASH) and signer == name and signature[:4] == wanted:
                key.verify(signature[4:], text.encode())
                break
        except (ValueError, InvalidSignature):
            continue
    else:
        raise NotSigned("没有这把钥匙的有效签名")
    lines = text.splitlines()
    if len(lines) < 3 or not lines[1].isdigit():
        raise NotSigned("不是树头：应有来源、大小、根三行")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except ValueError as error:
        raise NotSigned("不是树头：根不是 Base64") from error
    return Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:]))
