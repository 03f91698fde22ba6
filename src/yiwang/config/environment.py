"""Everything yiwang reads from its environment, in one place.

No secret has a default. In demo mode missing secrets are made at random and kept in ``var/``;
outside it the program refuses to start and says what to set.
"""

import contextlib
import hmac
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlparse, urlunparse

ROOT = Path(__file__).resolve().parents[3]
PULL = "YIWANG_PULL_"  # and a name that a dataset's contract gives


class Missing(SystemExit):
    """A setting that production must give is absent."""


@dataclass(frozen=True)
class Environment:
    """The settings of this process.

    demo: invented persons and a sign-in list; never on a real server.
    var: folder of all local state (database, files, keys, logs).
    database_url: the application's connection; None means the embedded PostgreSQL under ``var``.
    staff_mfa: officials must have a second factor.
    database_owner_url: the owner's connection, used to migrate; defaults to ``database_url``.
    ledger_key: the private key (PEM) that signs heads of the data ledger.
    publicity_url: where other publicity platforms are told of notices; None: they fetch the feed.
    oidc_url: issuer of the identity provider people sign in with; None means local accounts only.
    oidc_key: the private key (PEM) with which departments' systems are told who signed in; None: they are not.
    """

    demo: bool
    debug: bool
    port: int
    var: Path
    packs: Path
    hosts: tuple[str, ...]
    https: bool
    base_url: str
    database_url: str | None
    database_owner_url: str | None
    secret_key: str
    staff_mfa: bool
    email_url: str | None
    sms_sender: str | None
    publicity_url: str | None
    signing_p12: str | None
    signing_passphrase: str | None
    writes_per_minute: int  # of one account
    oidc_url: str | None
    oidc_client_id: str
    oidc_secret: str
    oidc_label: str
    oidc_scopes: list[str]
    oidc_idno_claim: str
    oidc_key: str | None
    ledger_key: str | None
    ledger_witnesses: list[str]
    pulls: Mapping[str, str]  # where the hub fetches data: connections with their secrets, by name


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def _kept(path: Path, make: Callable[[], str]) -> str:
    """A secret made once and kept readable by this user only; whole before anybody can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        own = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(make())
        with contextlib.suppress(FileExistsError):
            os.link(own, path)
        own.unlink()
    return path.read_text()


def _pem_of(key) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _new_rsa() -> str:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return _pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def _new_ed25519() -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return _pem_of(Ed25519PrivateKey.generate())


def _pem(name: str, kept: Path, make: Callable[[], str], demo: bool) -> str | None:
    """The key in the file a setting names; in demo mode one of its own; else none."""
    if file := os.environ.get(name):
        return Path(file).read_text()
    return _kept(kept, make) if demo else None


def derived_secret(secret_key: str, purpose: str) -> str:
    """A secret of its own for ``purpose``, the same whenever the key is the same."""
    return hmac.new(secret_key.encode(), purpose.encode(), "sha256").hexdigest()


def login_as(url: str, role: str, password: str) -> str:
    """The same database under another login."""
    parts = urlparse(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunparse(parts._replace(netloc=f"{quote(role)}:{quote(password)}@{host}"))


def read() -> Environment:
    """Read the process environment.

    Raises:
        Missing: a production setting is absent; the message names it.
    """
    demo = _flag("YIWANG_DEMO")
    var = Path(os.environ.get("YIWANG_VAR", ROOT / "var")).resolve()
    port = int(os.environ.get("PORT", "8000"))
    secret = os.environ.get("YIWANG_SECRET_KEY", "")
    if not secret:
        if not demo:
            raise Missing(
                "YIWANG_SECRET_KEY is not set: give a random string of 50 characters or more "
                "(or YIWANG_DEMO=1 to try yiwang out)."
            )
        secret = _kept(var / "keys" / "secret_key", lambda: secrets.token_urlsafe(48))
    hosts = tuple(h for h in os.environ.get("YIWANG_HOSTS", "").split(",") if h)
    return Environment(
        demo=demo,
        debug=_flag("YIWANG_DEBUG"),
        port=port,
        var=var,
        packs=Path(os.environ.get("YIWANG_PACKS", ROOT / "packs")).resolve(),
        hosts=hosts or ("localhost", "127.0.0.1", "[::1]"),
        https=_flag("YIWANG_HTTPS"),
        base_url=os.environ.get("YIWANG_BASE_URL", f"http://localhost:{port}"),
        database_url=os.environ.get("DATABASE_URL"),
        database_owner_url=os.environ.get("DATABASE_OWNER_URL"),
        secret_key=secret,
        staff_mfa=os.environ.get("YIWANG_STAFF_MFA", "0" if demo else "1") == "1",
        email_url=os.environ.get("YIWANG_EMAIL_URL"),
        sms_sender=os.environ.get("YIWANG_SMS_SENDER"),
        publicity_url=os.environ.get("YIWANG_PUBLICITY_URL"),
        signing_p12=os.environ.get("YIWANG_SIGNING_P12"),
        signing_passphrase=os.environ.get("YIWANG_SIGNING_PASSPHRASE"),
        writes_per_minute=int(os.environ.get("YIWANG_WRITES_PER_MINUTE", "600")),
        oidc_url=os.environ.get("YIWANG_OIDC_URL"),
        oidc_client_id=os.environ.get("YIWANG_OIDC_CLIENT_ID", ""),
        oidc_secret=os.environ.get("YIWANG_OIDC_SECRET", ""),
        oidc_label=os.environ.get("YIWANG_OIDC_LABEL", "统一身份认证"),
        oidc_scopes=os.environ.get("YIWANG_OIDC_SCOPES", "openid profile idno").split(),
        oidc_idno_claim=os.environ.get("YIWANG_OIDC_IDNO_CLAIM", "idno"),
        oidc_key=_pem("YIWANG_OIDC_KEY", var / "keys" / "oidc.pem", _new_rsa, demo),
        ledger_key=_pem("YIWANG_LEDGER_KEY", var / "keys" / "ledger.pem", _new_ed25519, demo),
        ledger_witnesses=[a for a in os.environ.get("YIWANG_LEDGER_WITNESSES", "").split(",") if a],
        pulls={n.removeprefix(PULL): v for n, v in os.environ.items() if n.startswith(PULL)},
    )
