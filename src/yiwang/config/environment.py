"""Everything yiwang reads from its environment, in one place.

No secret has a default. In demo mode missing secrets are made at random and kept in ``var/``;
outside it the program refuses to start and says what to set.
"""

import hmac
import os
import secrets
from collections.abc import Mapping
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
    signing_p12: str | None
    signing_passphrase: str | None
    writes_per_minute: int  # of one account
    pulls: Mapping[str, str]  # where the hub fetches data: connections with their secrets, by name


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def _kept_secret(path: Path) -> str:
    """A random secret made once and kept readable by this user only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as out:
        out.write(value := secrets.token_urlsafe(48))
    return value


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
        secret = _kept_secret(var / "keys" / "secret_key")
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
        signing_p12=os.environ.get("YIWANG_SIGNING_P12"),
        signing_passphrase=os.environ.get("YIWANG_SIGNING_PASSPHRASE"),
        writes_per_minute=int(os.environ.get("YIWANG_WRITES_PER_MINUTE", "600")),
        pulls={n.removeprefix(PULL): v for n, v in os.environ.items() if n.startswith(PULL)},
    )
