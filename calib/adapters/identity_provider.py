"""An identity provider (OpenID Connect): code flow with PKCE, and every check of what it says.

Knows no account and no database. Authlib and joserfc do the protocol; the web is reached through
the one door of the adapters, so that nothing follows a redirect or waits for long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from instruments.errors import NotAllowed, Unavailable
from instruments.services.identities import Answer
from instruments.services.provider_flows import Flow

ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
"""Signatures only: a shared secret or none signs nothing here."""
LEEWAY = 60
"""Seconds the clocks may differ."""
OLDEST = timedelta(hours=1)
"""What the provider says of itself is asked anew after this."""
LEAST_RSA_BITS = 2048
LONGEST = 255
"""Characters of a subject, as OpenID Connect Core 2 says."""
Ask = Callable[..., tuple[int, bytes]]


class OIDCProvider:
    """One provider, named in the settings."""

    def __init__(
        self,
        ask: Ask,
        *,
        issuer: str,
        client: str,
        secret: Callable[[], str],
        name: str,
        factor: frozenset[str],
        back: str,
    ) -> None:
        """Take what the settings say; nothing is asked before somebody signs in.

        `factor`: words (amr, acr) that count for a second factor; `back`: where browsers return.
        """
        self._ask, self._issuer, self._client = ask, issuer, client
        self._secret, self._name, self._factor, self._back = secret, name, factor, back
        self._about: tuple[datetime, dict[str, Any]] | None = None
        self._keys: list[dict[str, Any]] = []

    @property
    def name(self) -> str:
        """What people call it."""
        return self._name

    def address(self, flow: Flow, now: datetime) -> str:
        """Return where the browser is sent to sign in.

        Raises
        ------
        Unavailable
            The provider is silent, or says of itself what does not fit.
        """
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
        from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

        return str(
            prepare_grant_uri(
                self._told(now)["authorization_endpoint"],
                self._client,
                "code",
                redirect_uri=self._back,
                scope="openid email",
                state=flow.state,
                nonce=flow.nonce,
                code_challenge=create_s256_code_challenge(flow.pkce_secret),
                code_challenge_method="S256",
            )
        )

    def redeem(self, flow: Flow, code: str, issuer: str, now: datetime) -> Answer:
        """Return what the provider says for a code.

        Raises
        ------
        NotAllowed
            Anything is not right.
        Unavailable
            The provider is silent.
        """
        from joserfc.errors import JoseError

        about = self._told(now)
        says_issuer = about.get("authorization_response_iss_parameter_supported") is True
        if (issuer or says_issuer) and issuer != self._issuer:
            raise _refused("the answer is of another issuer")
        if not code:
            raise _refused("no code came")
        tokens = self._tokens(about, flow, code)
        try:
            claims = self._claims(about, tokens, flow, now)
        except (JoseError, ValueError, TypeError, KeyError) as problem:
            raise _refused(str(problem)) from problem
        return self._answer(claims)

    def _tokens(self, about: Mapping[str, Any], flow: Flow, code: str) -> dict[str, Any]:
        from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        secret = self._secret()
        offered = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        way = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        sent = prepare_token_request(
            "authorization_code", redirect_uri=self._back, code=code, code_verifier=flow.pkce_secret
        )
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        auth = ClientAuth(self._client, secret, way if secret else "none")
        address, headers, sent = auth.prepare("POST", about["token_endpoint"], headers, sent)
        status, content = self._ask(address, sent.encode(), headers)
        if status != 200:
            raise _refused(f"the token endpoint answers {status}")
        tokens = _document(content)
        if not isinstance(tokens.get("id_token"), str):
            raise _refused("no ID token came")
        return tokens

    def _claims(
        self, about: Mapping[str, Any], tokens: Mapping[str, Any], flow: Flow, now: datetime
    ) -> dict[str, Any]:
        """Check signature, issuer, audience, times and nonce; return what is said."""
        from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
        from joserfc import jwt

        token = jwt.decode(
            tokens["id_token"],
            lambda signed: self._key(about, signed.headers()),
            algorithms=list(ALGORITHMS),
        )
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={"iss": {"essential": True, "value": self._issuer}},
            params={
                "nonce": flow.nonce,
                "client_id": self._client,
                "access_token": tokens.get("access_token"),
            },
        )
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        if claims["aud"] not in (self._client, [self._client]):
            raise ValueError("it is for another audience")
        if claims["iss"] != self._issuer or not 0 < len(claims["sub"]) <= LONGEST:
            raise ValueError("its issuer or subject does not fit")
        return dict(claims)

    def _answer(self, claims: Mapping[str, Any]) -> Answer:
        email = claims.get("email")
        is_verified = claims.get("email_verified") is True and isinstance(email, str)
        methods = claims.get("amr")
        said = {m for m in methods if isinstance(m, str)} if isinstance(methods, list) else set()
        if isinstance(claims.get("acr"), str):
            said.add(claims["acr"])
        return Answer(
            issuer=self._issuer,
            subject=claims["sub"],
            email=str(email).strip().lower() if is_verified else "",
            has_factor=bool(said & self._factor),
        )

    def _key(self, about: Mapping[str, Any], header: Mapping[str, Any]) -> Any:
        """Return the key a token names; the keys are asked for anew once when it is not there."""
        from joserfc.jwk import JWKRegistry, RSAKey

        name = header.get("kid")
        if not isinstance(name, str):
            raise ValueError("the token names no key")
        found = self._named(name)
        if found is None:
            status, content = self._ask(about["jwks_uri"])
            kept = _document(content).get("keys") if status == 200 else None
            self._keys = [one for one in kept or [] if isinstance(one, dict)]
            found = self._named(name)
        if found is None or found.get("use", "sig") != "sig":
            raise ValueError("the token names a key that the provider does not have")
        key = JWKRegistry.import_key(found)
        if isinstance(key, RSAKey) and key.raw_value.key_size < LEAST_RSA_BITS:
            raise ValueError("the key of the provider is too short")
        return key

    def _named(self, name: str) -> dict[str, Any] | None:
        return next((one for one in self._keys if one.get("kid") == name), None)

    def _told(self, now: datetime) -> dict[str, Any]:
        """Return what the provider says of itself (discovery)."""
        if self._about is not None and now < self._about[0] + OLDEST:
            return self._about[1]
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        status, content = self._ask(address)
        about = _document(content) if status == 200 else {}
        named = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        fits = all(self._is_address(about.get(one)) for one in named)
        if about.get("issuer") != self._issuer or not fits:
            raise Unavailable(
                "provider-unfit",
                "The identity provider at {address} does not say of itself what it must. Sign in "
                "another way, and tell the operator of this installation.",
                facts={"address": address},
            )
        self._about = now, about
        return about

    def _is_address(self, value: object) -> bool:
        """Answer whether this may be an address of the provider: as safe as its own."""
        if not isinstance(value, str):
            return False
        scheme = urlsplit(value).scheme
        return scheme == "https" or scheme == urlsplit(self._issuer).scheme


def _document(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError) as problem:
        raise _refused("no JSON came") from problem
    if not isinstance(said, dict):
        raise _refused("no JSON object came")
    return said


def _refused(reason: str) -> NotAllowed:
    return NotAllowed(
        "identity-refused",
        "The answer of the identity provider was not accepted ({reason}). Begin again; if it stays "
        "so, tell the operator of this installation.",
        facts={"reason": reason},
    )
