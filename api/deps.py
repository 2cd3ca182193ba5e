"""From a request to a Context; the transaction of the request opens and closes here.

The transaction commits before the answer is sent (scope ``function``): what is acknowledged is
durable.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request

from api import denied
from api.bootstrap import Wiring
from api.problems import PreconditionMissing, SignInNeeded
from calib.keeping.restored import is_unacknowledged
from instruments.catalogue.loader import Catalogue
from instruments.context import Context, need
from instruments.errors import Invalid, NotAllowed
from instruments.policy import ACTIONS
from instruments.services import signin
from instruments.services.denials import TOKEN
from instruments.services.method_views import lab_catalogue
from instruments.tenancy import InstallationSession, installation_session, lab_session
from instruments.text import LANGUAGES

COOKIE = "calib_session"
LANGUAGE_COOKIE = "calib_language"
THEME_COOKIE = "calib_theme"
THEMES = ("light", "dark")
REFUSED = "refused"
"""Where a session keeps a refusal that is shown beside a form."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ETAG = re.compile(r'(?:W/)?("?)([0-9]{1,18})\1')


def wiring(request: Request) -> Wiring:
    """Return what the process was wired with."""
    wired: Wiring = request.app.state.wiring
    return wired


Wired = Annotated[Wiring, Depends(wiring)]


def language_of(request: Request) -> str:
    """Return the reader's language: cookie, then Accept-Language, then English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    wanted = request.headers.get("accept-language", "").lower()
    return "zh" if wanted.startswith("zh") else "en"


Language = Annotated[str, Depends(language_of)]


def theme_of(request: Request) -> str:
    """Return the theme somebody chose for the pages; empty: as the system has it."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def secret_of(request: Request) -> tuple[str, bool]:
    """Return the secret a request brings, empty for none, and whether it is a bearer token."""
    header = request.headers.get("authorization", "")
    bearer = header.removeprefix("Bearer ") if header.startswith("Bearer ") else ""
    return bearer or request.cookies.get(COOKIE, ""), bool(bearer)


def identity(request: Request, wired: Wired) -> signin.Identity:
    """Return who is signed in, by cookie or bearer token; raises SignInNeeded."""
    token, bearer = secret_of(request)
    if not token:
        raise SignInNeeded
    if not bearer and request.method not in SAFE:
        same_origin(request)
    with installation_session(wired.engine, read_only=True) as session:
        known = signin.resolve(session, token, wired.clock())
    if known is None:
        if bearer:  # that a sign-in of the pages has ended is daily life
            denied.tell(
                wired.engine,
                wired.clock,
                None,
                SignInNeeded(),
                asked=f"{request.method} {request.url.path}"[:200],
                origin=origin_of(request),
                act=TOKEN,
            )
        raise SignInNeeded
    if known.is_unnoted and not is_unacknowledged(wired.settings.folder):
        with installation_session(wired.engine) as session:
            signin.note_use(session, token, wired.clock())
    request.state.who = known
    return known


def origin_of(request: Request) -> str:
    """Return the network address a request comes from; of IPv6 the part one customer is given."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ip_network(f"{host}/64", strict=False))


def same_origin(request: Request) -> None:
    """Refuse a form another site sent on the person's behalf."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign or (site is not None and site not in ("same-origin", "none")):
        raise NotAllowed(
            "foreign-origin",
            "This request came from another site ({origin}) and was not carried out. Open the "
            "page here and send it again.",
            facts={"origin": origin or site},
        )


WhoIs = Annotated[signin.Identity, Depends(identity)]


class Allowed:
    """What a route declares: the act it is, checked before anything else of it runs."""

    def __init__(self, action: str) -> None:
        """Declare an act of somebody who is signed in."""
        self.action = action

    def __call__(self, request: Request, who: WhoIs) -> None:
        """Refuse the request unless the policy allows the act."""
        if who.must_enrol and not self.action.startswith("account."):
            raise NotAllowed(
                "second-factor-demanded",
                "This laboratory demands a second factor of whoever performs, reviews or "
                "authorises. Set one up under your account first.",
            )
        need(who.actor(), self.action, who.lab_id)
        request.state.begun = self.action


class Open(Allowed):
    """What a route declares that asks nobody who they are."""

    def __call__(self) -> None:  # type: ignore[override]
        """Let everybody in."""


def allows(action: str) -> list[Any]:
    """Return the declaration of a route: which of `instruments.policy.ACTIONS` it is."""
    return [Depends((Open if ACTIONS[action].who == "public" else Allowed)(action))]


def _context(
    session: Any, who: signin.Identity, wired: Wiring, language: str, request: Request
) -> Context:
    request.state.request_id = secrets.token_hex(8)
    return Context(
        session=session,
        lab_id=who.lab_id,
        actor=who.actor(),
        now=wired.clock(),
        zone=who.lab_zone,
        language=language,
        request_id=request.state.request_id,
        begun={request.state.begun},
    )


def reading(request: Request, wired: Wired, who: WhoIs, language: Language) -> Iterator[Context]:
    """Open a read-only transaction for the lab of the signed-in person."""
    with lab_session(wired.engine, who.lab_id, read_only=True) as session:
        yield _context(session, who, wired, language, request)


def writing(request: Request, wired: Wired, who: WhoIs, language: Language) -> Iterator[Context]:
    """Open a writing transaction for the lab of the signed-in person."""
    with lab_session(wired.engine, who.lab_id) as session:
        yield _context(session, who, wired, language, request)
    refused = session.info.get(REFUSED)
    if refused is not None:  # shown beside its form
        denied.tell_request(request, refused, origin_of(request))


MakeContext = Callable[[], AbstractContextManager[Context]]


def acting(request: Request, wired: Wired, who: WhoIs, language: Language) -> MakeContext:
    """Return what opens a transaction of the signed-in person: issuing commits twice."""

    @contextmanager
    def open_context() -> Iterator[Context]:
        with lab_session(wired.engine, who.lab_id) as session:
            yield _context(session, who, wired, language, request)

    return open_context


def public_reading(wired: Wired) -> Iterator[InstallationSession]:
    """Open a read-only session over all labs, for what needs no sign-in."""
    with installation_session(wired.engine, read_only=True) as session:
        yield session


def installation_writing(wired: Wired) -> Iterator[InstallationSession]:
    """Open a writing session over all labs: sign-in and sign-out."""
    with installation_session(wired.engine) as session:
        yield session


def types_of(ctx: Context, wired: Wiring) -> Catalogue:
    """Return the instrument types as the lab of the actor works by them: its own methods first."""
    return lab_catalogue(ctx, wired.catalogue)


Acting = Annotated[MakeContext, Depends(acting)]
Reading = Annotated[Context, Depends(reading, scope="function")]
Writing = Annotated[Context, Depends(writing, scope="function")]
PublicReading = Annotated[InstallationSession, Depends(public_reading, scope="function")]
InstallationWriting = Annotated[
    InstallationSession, Depends(installation_writing, scope="function")
]


def version_seen(_who: WhoIs, if_match: Annotated[str | None, Header()] = None) -> int:
    """Return the version the client saw, from If-Match; raises PreconditionMissing without."""
    if if_match is None:
        raise PreconditionMissing(
            "if-match-missing",
            "A change must say which version it was made on. Send If-Match with the ETag you read.",
        )
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Invalid(
            "if-match-invalid",
            "If-Match holds {got}, expected the ETag of the record, a number in quotes.",
            facts={"got": repr(if_match)},
        )
    return int(found[2])


VersionSeen = Annotated[int, Depends(version_seen)]


def idempotency_key(_who: WhoIs, idempotency_key: Annotated[str | None, Header()] = None) -> str:
    """Return the request's key; raises Invalid where one is needed and missing."""
    return _key(idempotency_key)


def _key(given: str | None) -> str:
    key = (given or "").strip()
    if not 8 <= len(key) <= 200 or not key.isprintable():
        raise Invalid(
            "idempotency-key-missing",
            "This act must not happen twice. Send Idempotency-Key, 8 to 200 printable characters, "
            "the same for every retry of the same act.",
        )
    return key


Key = Annotated[str, Depends(idempotency_key)]


def key_of_import(
    _who: WhoIs, *, dry_run: bool = True, idempotency_key: Annotated[str | None, Header()] = None
) -> str | None:
    """Return the key of an import, None for a dry run: it has no effect and needs no key."""
    return None if dry_run else _key(idempotency_key)


ImportKey = Annotated[str | None, Depends(key_of_import)]
"""None: a dry run, which an import is unless it is sent with ``dry_run=false``."""
