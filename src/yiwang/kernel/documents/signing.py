"""The signing port. RSA by pyHanko today; an SM2/OFD seal plugs in here."""

import datetime as dt
import secrets
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from django.conf import settings
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers


class NoCertificate(RuntimeError):
    """Nothing can be signed: documents wait in the outbox until this is mended."""


class Signer(Protocol):
    """Signs a PDF."""

    def sign(self, pdf: bytes, reason: str) -> bytes:
        """The PDF with a signature over all of it."""


class RsaSigner:
    """Signs with a PKCS#12 key, certifying: any later change breaks the signature."""

    def __init__(self, p12: Path, passphrase: str) -> None:
        self._signer = signers.SimpleSigner.load_pkcs12(str(p12), passphrase=passphrase.encode())
        if self._signer is None:
            raise NoCertificate(
                f"签名证书 {p12} 打不开：请检查 YIWANG_SIGNING_P12 与 YIWANG_SIGNING_PASSPHRASE"
            )

    def sign(self, pdf: bytes, reason: str) -> bytes:
        out = BytesIO()
        signers.sign_pdf(
            IncrementalPdfFileWriter(BytesIO(pdf)),
            signers.PdfSignatureMetadata(field_name="yiwang", reason=reason, certify=True),
            signer=self._signer,
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
