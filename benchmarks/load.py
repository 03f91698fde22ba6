"""A load generator that costs little itself: it shares the machine with what it measures."""

import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable


class Failed(RuntimeError):
    """An answer that the benchmark did not expect, or none."""


class Caller:
    """One kept HTTP connection. Not a general client: it reads what granian sends."""

    def __init__(self, port: int, timeout: float = 30.0) -> None:
        self.port, self.timeout = port, timeout
        self.sock: socket.socket | None = None
        self.rest = b""

    def __call__(
        self, method: str, path: str, headers: str = "", body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and read its answer: status, headers, body.

        Args:
            headers: header lines, each ended by CRLF.

        Raises:
            Failed: the connection broke; nobody knows whether the request was carried out.
        """
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost:{self.port}\r\n{headers}"
        if body is not None:
            head += f"Content-Length: {len(body)}\r\n"
        try:
            if self.sock is None:
                self.sock = socket.create_connection(("127.0.0.1", self.port), self.timeout)
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.rest = b""
            self.sock.sendall(head.encode() + b"\r\n" + (body or b""))
            return self._read()
        except OSError as broken:
            self.close()
            raise Failed(f"{method} {path}: {broken}") from broken

    def _read(self) -> tuple[int, dict[str, str], bytes]:
        data = self.rest
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _gap, data = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _colon, value = line.partition(":")
            headers[name.lower()] = value.strip()
        status = int(lines[0].split(" ", 2)[1])
        if "content-length" in headers:
            length = int(headers["content-length"])
            while len(data) < length:
                data += self._more()
            self.rest = data[length:]
            return status, headers, data[:length]
        if status == 304 or status == 204:
            self.rest = data
            return status, headers, b""
        body = b""
        while True:  # chunked
            while b"\r\n" not in data:
                data += self._more()
            size, _gap, data = data.partition(b"\r\n")
            length = int(size, 16)
            while len(data) < length + 2:
                data += self._more()
            body, data = body + data[:length], data[length + 2 :]
            if length == 0:
                self.rest = data
                return status, headers, body

    def _more(self) -> bytes:
        assert self.sock is not None
        data = self.sock.recv(65536)
        if not data:
            raise OSError("closed")
        return data

    def close(self) -> None:
        """Let the connection go; the next call opens a new one."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None


class Api:
    """Calls to the API with the token of one account, over a shared connection."""

    def __init__(self, caller: Caller, token: str) -> None:
        self.caller = caller
        self.headers = f"Authorization: Bearer {token}\r\n"

    def __call__(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        sent = None if body is None else json.dumps(body).encode()
        headers = self.headers + ("Content-Type: application/json\r\n" if sent else "")
        status, _headers, content = self.caller(method, f"/api/v1/{path}", headers, sent)
        return status, json.loads(content) if content else {}


class Times:
    """Latencies by kind of request."""

    def __init__(self) -> None:
        self.by_kind: dict[str, list[float]] = defaultdict(list)
        self.lock = threading.Lock()

    def add(self, kind: str, seconds: float) -> None:
        """One request."""
        self.by_kind[kind].append(seconds)

    def percentile(self, share: float, kind: str | None = None) -> float:
        """Milliseconds within which this share of the requests was answered."""
        rows = sorted(self.by_kind[kind] if kind else (t for times in self.by_kind.values() for t in times))
        return round(1000 * rows[min(len(rows) - 1, int(share * len(rows)))], 1) if rows else 0.0

    def summary(self, *shares: float) -> dict[str, dict[str, float]]:
        """For each kind: how many, and the percentiles."""
        return {
            kind: {"n": len(times)} | {f"p{round(100 * s)}_ms": self.percentile(s, kind) for s in shares}
            for kind, times in sorted(self.by_kind.items())
        }


def drive(clients: int, seconds: float, once: Callable[[int, int], None]) -> tuple[int, float]:
    """Let clients work side by side for a while.

    Args:
        once: one piece of work of client ``n``, its ``i``-th.

    Returns:
        how many pieces were finished, and in how many seconds.

    Raises:
        the first error of a client.
    """
    done = [0] * clients
    errors: list[BaseException] = []
    start = time.perf_counter()

    def work(n: int) -> None:
        try:
            while time.perf_counter() - start < seconds and not errors:
                once(n, done[n])
                done[n] += 1
        except BaseException as error:  # told by the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(done), time.perf_counter() - start
