"""An identity provider on this machine (OpenID Connect), honest unless a test says otherwise."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jwk import Key as AnyKey

from tests.support.builders import NOW

CLIENT, SECRET = "calib-here", "a secret of the provider"
Claims = dict[str, Any]


@functools.cache
def key_of(kind: str) -> AnyKey:
    """Return a key of this kind, made once."""
    made: dict[str, Callable[[], AnyKey]] = {
        "RS256": lambda: RSAKey.generate_key(2048, {"kid": "RS256", "use": "sig"}),
        "ES256": lambda: ECKey.generate_key("P-256", {"kid": "ES256", "use": "sig"}),
        "EdDSA": lambda: OKPKey.generate_key("Ed25519", {"kid": "EdDSA", "use": "sig"}),
        "other": lambda: RSAKey.generate_key(2048, {"kid": "other", "use": "sig"}),
    }
    return made[kind]()


@dataclass
class ProviderHere:
    """What listens, whom it signs in, and what it says wrongly."""

    issuer: str = ""
    claims: Claims = field(
        default_factory=lambda: {
            "sub": "u-1",
            "email": "li@example.org",
            "email_verified": True,
        }
    )
    algorithm: str = "RS256"
    spoil: Callable[[Claims], Claims] = lambda claims: claims
    """What is said instead of the truth."""
    sign: Callable[[ProviderHere, Claims], str] | None = None
    says_issuer: str = ""
    """What discovery names as issuer instead of the true one."""
    keys: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def token(self, claims: Claims) -> str:
        """Return an ID token as this provider signs it."""
        key = key_of(self.algorithm)
        header = {"alg": self.algorithm, "kid": str(key.kid)}
        registry = jws.JWSRegistry(algorithms=[self.algorithm])
        return jwt.encode(header, claims, key, registry=registry)

    def sign_in(self, address: str) -> dict[str, str]:
        """Do what a person's browser does at the provider; return what it brings back."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """Answer the token endpoint."""
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or authorization != f"Basic {wanted}":
            return 400, {"error": "invalid_grant"}
        shown = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(shown).decode().rstrip("=")
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(NOW.timestamp())
        times = {"iat": now, "exp": now + 300}
        said = {"iss": self.issuer, "aud": CLIENT, "nonce": asked["nonce"], **times, **self.claims}
        said = self.spoil(said)
        signed = self.sign(self, said) if self.sign else self.token(said)
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": signed}

    def told(self, path: str) -> Claims:
        """Answer what is fetched."""
        self.asked.append(path)
        if path == "/jwks":
            return {"keys": [key_of(kind).as_dict(private=False) for kind in self.keys]}
        return {
            "issuer": self.says_issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }


@contextmanager
def a_provider() -> Iterator[ProviderHere]:
    """Serve a provider on this machine until the end."""
    here = ProviderHere()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(200, here.told(self.path))

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            self._say(*here.redeem(form, self.headers.get("authorization", "")))

        def _say(self, status: int, document: Claims) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_given: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield here
    server.shutdown()
    thread.join(5)
    server.server_close()


def unsigned(_here: ProviderHere, claims: Claims) -> str:
    """Return a token nobody signed."""
    parts = ({"alg": "none", "kid": "RS256"}, claims)
    return ".".join(_text(json.dumps(part).encode()) for part in parts) + "."


def by_public_key(_here: ProviderHere, claims: Claims) -> str:
    """Return a token 'signed' with the public key as a shared secret."""
    key = key_of("RS256")
    assert isinstance(key, RSAKey)
    pem = key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "kid": "RS256"}
    shared = OctKey.import_key({"kty": "oct", "k": _text(pem)})
    return jwt.encode(header, claims, shared, algorithms=["HS256"])


def by_a_stranger(_here: ProviderHere, claims: Claims) -> str:
    """Return a token signed with another key under the name of a known one."""
    return jwt.encode({"alg": "RS256", "kid": "RS256"}, claims, key_of("other"))


def by_an_unknown_key(_here: ProviderHere, claims: Claims) -> str:
    """Return a token signed with a key the provider does not publish."""
    return jwt.encode({"alg": "RS256", "kid": "other"}, claims, key_of("other"))


def with_its_own_key(_here: ProviderHere, claims: Claims) -> str:
    """Return a token that brings the key it is to be checked with."""
    key = key_of("other")
    header = {"alg": "RS256", "kid": "other", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims, key)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
