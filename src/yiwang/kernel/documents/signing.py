"""The signing port. RSA by pyHanko today; an SM2/OFD seal plugs in here."""

import datetime as dt
import secrets
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from django.conf import settings
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.general import get_pyca_cryptography_hash


class NoCertificate(RuntimeError):
    """Nothing can be signed: documents wait in the outbox until this is mended."""


class Signer(Protocol):
    """Signs a PDF."""

    def sign(self, pdf: bytes, reason: str) -> bytes:
        """The PDF with a signature over all of it."""


AROUND_CERTIFICATES = 2048
"""Bytes of a signature beside the chain: the signature itself (512 at 4096 bits), attributes, names."""


class _KeyInHand(signers.SimpleSigner):
    """Unpacks its RSA key once. pyHanko unpacks, and so checks, it at each signature: 36 ms against 1."""

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        key = serialization.load_der_private_key(self.signing_key.dump(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise NoCertificate("签名证书的密钥不是 RSA：请换用 RSA 证书，或接入自己的签名服务")
        return key

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        return self._key.sign(data, padding.PKCS1v15(), get_pyca_cryptography_hash(digest_algorithm))


class RsaSigner:
    """Signs with a PKCS#12 key, certifying: any later change breaks the signature."""

    def __init__(self, p12: Path, passphrase: str) -> None:
        read = signers.SimpleSigner.load_pkcs12(str(p12), passphrase=passphrase.encode())
        if read is None:
            raise NoCertificate(
                f"签名证书 {p12} 打不开：请检查 YIWANG_SIGNING_P12 与 YIWANG_SIGNING_PASSPHRASE"
            )
        self._signer = _KeyInHand(read.signing_cert, read.signing_key, read.cert_registry)
        # In hex digits. Said here, because pyHanko would otherwise sign twice: once to see how long it gets.
        self._reserved = 2 * (sum(len(c.dump()) for c in read.cert_registry) + AROUND_CERTIFICATES)

    def sign(self, pdf: bytes, reason: str) -> bytes:
        out = BytesIO()
        signers.sign_pdf(
            IncrementalPdfFileWriter(BytesIO(pdf)),
            signers.PdfSignatureMetadata(
                field_name="yiwang", reason=reason, certify=True, md_algorithm="sha256"
            ),
            signer=self._signer,
            bytes_reserved=self._reserved,
            output=out,
        )
        return out.getvalue()


@cache
def signer() -> Signer:
    """The signer of this installation.

    Raises:
        NoCertificate: outside demo mode no certificate is configured.
    """
    env = settings.ENV
    if env.signing_p12:
        return RsaSigner(Path(env.signing_p12), env.signing_passphrase or "")
    if not env.demo:
        raise NoCertificate("没有签名证书：请设置 YIWANG_SIGNING_P12 和 YIWANG_SIGNING_PASSPHRASE")
    path, secret = env.var / "keys" / "demo.p12", env.var / "keys" / "demo.pass"
    if not path.exists():
        _make_demo_certificate(path, secret)
    return RsaSigner(path, secret.read_text())


def _make_demo_certificate(path: Path, secret: Path) -> None:
    """A self-signed certificate for the demo, plainly named as such."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "一网演示签章（无法律效力）")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(True, True, False, False, False, True, True, False, False), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    passphrase = secrets.token_urlsafe(24)
    sealed = pkcs12.serialize_key_and_certificates(
        b"demo", key, certificate, None, serialization.BestAvailableEncryption(passphrase.encode())
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    for target, content in ((secret, passphrase.encode()), (path, sealed)):
        part = target.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_bytes(content)
        part.replace(target)
