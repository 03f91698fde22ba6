"""A department's system: it calls the API with a token over one kept connection."""

import http.client
import json

from yiwang.kernel.access.contracts import SYSTEM
from yiwang.kernel.access.session import acting
from yiwang.kernel.accounts import tokens
from yiwang.kernel.ids import new_id


class Answer:
    """A response of the API."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.content = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.content)


class Client:
    """Calls with the token of one account; a visitor's without."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port, self.token = port, token

    def __call__(self, method: str, path: str, body=None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path if path.startswith("/api") else f"/api/v1/{path}", body, sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self("GET", path, None, **headers)

    def post(self, path: str, body=None, **headers: str) -> Answer:
        return self("POST", path, {} if body is None else body, **headers)


def client(port: int, username: str | None, scopes=tokens.SCOPES) -> Client:
    """A client of an account's, with a token of its own; ``None``: a visitor."""
    if username is None:
        return Client(port)
    with acting(SYSTEM):
        return Client(port, tokens.issue(SYSTEM, username, f"test {new_id()}", 1, scopes))
