"""An S3-compatible store of a test's own: one bucket in memory, listing (ListObjectsV2), HEAD and GET with ranges.

Enough of the protocol for what collection does with it, over HTTP with the real client; requests that are not
signed with the store's key are refused.
"""

import http.server
import re
import threading
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlparse
from xml.sax.saxutils import escape

KEY = "AKIATEST"


class Store:
    """``put`` objects, then point a client at ``url``."""

    def __init__(self, bucket: str) -> None:
        self.bucket, self.objects, self.log = bucket, {}, []
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                store._answer(self, True)

            def do_HEAD(self):
                store._answer(self, False)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, key: str = KEY) -> str:
        return f"s3://{key}:secret@127.0.0.1:{self._server.server_port}?scheme=http&region=us-east-1"

    def put(self, name: str, content: bytes, at: datetime | None = None) -> None:
        self.objects[name] = (content, at or datetime.now(UTC))

    def close(self) -> None:
        self._server.shutdown()

    def _answer(self, request, whole: bool) -> None:
        parts = urlparse(request.path)
        path, query = unquote(parts.path).strip("/"), parse_qs(parts.query)
        self.log.append((request.command, path))
        if f"Credential={KEY}/" not in request.headers.get("Authorization", ""):
            return _send(request, 403, _error("InvalidAccessKeyId"), whole)
        if path == self.bucket:
            return _send(request, 200, self._listed(query.get("prefix", [""])[0]), whole)
        found = self.objects.get(path.removeprefix(f"{self.bucket}/"))
        if found is None:
            return _send(request, 404, _error("NoSuchKey"), whole)
        content, at = found
        more = {"Last-Modified": f"{at:%a, %d %b %Y %H:%M:%S GMT}", "ETag": '"x"', "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if asked and whole:
            first, last = int(asked[1]), min(int(asked[2] or len(content) - 1), len(content) - 1)
            more["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            return _send(request, 206, content[first : last + 1], True, more)
        return _send(request, 200, content, whole, more)

    def _listed(self, prefix: str) -> bytes:
        rows = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>{at:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<Size>{len(content)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for name, (content, at) in sorted(self.objects.items())
            if name.startswith(prefix)
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult '
            f'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{self.bucket}</Name><Prefix>{escape(prefix)}</Prefix>'
            f"<KeyCount>{len(self.objects)}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{rows}"
            "</ListBucketResult>"
        ).encode()


def _error(code: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'.encode()


def _send(request, status: int, content: bytes, whole: bool, more: dict[str, str] | None = None) -> None:
    request.send_response(status)
    kind = "text/csv" if more else "application/xml"
    for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(more or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    if whole:
        request.wfile.write(content)
