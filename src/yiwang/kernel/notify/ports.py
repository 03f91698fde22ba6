"""The ports out: text message and e-mail. A province plugs its gateway in; the demo writes to a file."""

import json
import smtplib
from functools import cache
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlparse

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone
from django.utils.module_loading import import_string

from yiwang.kernel.ids import new_id


class Bounced(Exception):
    """The address does not exist or refuses: trying again would not help. ``str(error)`` says why."""


class Sender(Protocol):
    """One way out."""

    def send(self, address: str, title: str, text: str) -> str:
        """Send; returns the gateway's receipt.

        Raises:
            Bounced: for good. OSError: not now, try again later.
        """


class DemoSender:
    """Writes to ``var/outbox/WAY.jsonl``. A number or address with 0000 before its end does not exist."""

    def __init__(self, way: str) -> None:
        self._file = settings.ENV.var / "outbox" / f"{way}.jsonl"

    def send(self, address: str, title: str, text: str) -> str:
        if address.split("@")[0].endswith("00000000"):
            raise Bounced("空号或不存在的地址（演示）")
        receipt = str(new_id())
        self._file.parent.mkdir(parents=True, exist_ok=True)
        line = {"at": timezone.now().isoformat(), "to": address, "title": title, "text": text, "id": receipt}
        with self._file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
        return receipt


class SmtpSender:
    """E-mail by ``smtp[s]://user:password@host:port/?from=address``."""

    def __init__(self, url: str) -> None:
        parts = urlparse(url)
        self._from = parse_qs(parts.query)["from"][0]
        self._options = {
            "host": parts.hostname,
            "port": parts.port or (465 if parts.scheme == "smtps" else 587),
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_ssl": parts.scheme == "smtps",
            "use_tls": parts.scheme == "smtp" and bool(parts.username),
            "timeout": 20,
        }

    def send(self, address: str, title: str, text: str) -> str:
        connection = get_connection("django.core.mail.backends.smtp.EmailBackend", **self._options)
        message = EmailMessage(title, text, self._from, [address], connection=connection)
        try:
            message.send()
        except smtplib.SMTPRecipientsRefused as refused:
            raise Bounced(str(refused.recipients)[:200]) from refused
        except smtplib.SMTPException as trouble:
            raise OSError(str(trouble)) from trouble
        return message.extra_headers.get("Message-ID", "")


@cache
def sender(way: str) -> Sender | None:
    """The sender of a way, or None where the installation has none."""
    env = settings.ENV
    if way == "email" and env.email_url:
        return SmtpSender(env.email_url)
    if way == "sms" and env.sms_sender:
        made: Sender = import_string(env.sms_sender)()
        return made
    return DemoSender(way) if env.demo else None
