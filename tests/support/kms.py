"""A key management service on loopback that speaks as the transit engine of OpenBao does."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MADE = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
}


class Service(ThreadingHTTPServer):
    """What the service holds, and how it is to misbehave."""

    def __init__(self, token: bytes) -> None:
        """Begin unsealed, without keys."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.token = token.decode()
        self.keys: dict[str, tuple[dict[str, Any], Any]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.sealed = False
        self.said: bytes | None = None
        """What it answers whatever is asked; None: as it should."""

    @property
    def address(self) -> str:
        """Return where the engine is mounted."""
        return f"http://127.0.0.1:{self.server_port}/v1/transit"


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: Any) -> None:
        """Stay quiet."""

    def do_GET(self) -> None:
        """Tell of a token or a key."""
        self._answer(*self._found({}))

    def do_POST(self) -> None:
        """Make a key, or sign."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(*self._found(body))

    def _found(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.server.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if self.headers["X-Vault-Token"] != self.server.token:
            return 403, {"errors": ["permission denied"]}
        if self.path == "/v1/auth/token/lookup-self":
            return 200, {"data": {"ttl": 3600}}
        mount, kind, name = self.path.rsplit("/", 2)
        if mount != "/v1/transit":
            return 404, {"errors": [f'no handler for route "{mount}". route entry not found.']}
        self.server.asked.append((self.path, body))
        return self._key(name, body) if kind == "keys" else self._sign(name, body)

    def _key(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body:
            self.server.keys[name] = (body, MADE[body["type"]]())
        kept, private = self.server.keys[name]
        public = private.public_key()
        if kept["type"] == "ed25519":
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            told = base64.b64encode(raw).decode()
        else:
            told = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return 200, {"data": {"type": kept["type"], "keys": {"1": {"public_key": told}}}}

    def _sign(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if name not in self.server.keys:
            return 400, {"errors": ["signing key not found"]}
        kept, private = self.server.keys[name]
        content = base64.b64decode(body["input"])
        if kept["type"] == "ed25519":
            made = private.sign(content)
        else:
            assert (body["hash_algorithm"], body["marshaling_algorithm"]) == ("sha2-256", "asn1")
            hashed = utils.Prehashed(hashes.SHA256()) if body["prehashed"] else hashes.SHA256()
            made = private.sign(content, ec.ECDSA(hashed))
        return 200, {"data": {"signature": f"vault:v1:{base64.b64encode(made).decode()}"}}

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode() if self.server.said is None else self.server.said
        self.send_response(status if self.server.said is None else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def a_service(token: bytes) -> Iterator[Service]:
    """Serve until the end."""
    with Service(token) as service:
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join()
