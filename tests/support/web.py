"""The application over a built world, and a browser signed in to it as somebody."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import tempfile
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from lxml import html

from api.app import create_app
from api.bootstrap import Wiring
from api.cookies import PREFIX, is_secure
from api.deps import COOKIE, LANGUAGE_COOKIE
from api.settings import Settings
from api.turnstile import Misses
from calib.adapters.files import DirectoryStore
from calib.adapters.http import post
from calib.adapters.log_files import FileAnchor, LogFolder
from calib.adapters.mail import FolderMailer
from calib.adapters.sealing import UnsealedSealer
from calib.adapters.webhooks import PinnedCourier
from calib.services.ports import SigningRequest
from calib.services.publishing import Publisher
from instruments.db import open_engine
from instruments.policy import BOUND, STAFF, Role
from instruments.services import people, signin
from instruments.tenancy import installation_session
from tests.support.builders import (
    NOW,
    Installation,
    a_customer,
    a_site,
    a_standard,
    an_installation,
    an_instrument,
    an_order,
    context_for,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette would rather have httpx2, which is no dependency
    from starlette.testclient import TestClient

_people = itertools.count(1)
ORIGIN = "http://testserver"


class NoKeys:
    """The signer of an installation that has no keys: nobody asks it."""

    def sign(self, request: SigningRequest) -> bytes:
        """Sign nothing."""
        raise AssertionError(f"nothing is signed here, asked: {request.form}")


@functools.cache
def _pattern() -> tuple[bytes, Installation]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calib.db"
        made = an_installation(f"sqlite+pysqlite:///{file}")
        with context_for(made) as ctx:
            customer = a_customer(ctx)
            site = a_site(ctx, customer.id)
            item = an_instrument(ctx, made.catalogue, customer_id=customer.id, site_id=site.id)
            a_standard(ctx, code="S-001", serial="BB1")
            an_order(ctx, made.catalogue, item.id)
        made.engine.dispose()
        return file.read_bytes(), made


def a_world(folder: Path) -> Installation:
    """Return a lab with one customer, site, instrument, standard and received order, all number 1.

    It is made once and copied for every test.
    """
    content, made = _pattern()
    file = folder / "calib.db"
    file.write_bytes(content)
    return dataclasses.replace(made, engine=open_engine(f"sqlite+pysqlite:///{file}"))


@functools.cache
def _application() -> Any:
    return create_app(cast("Wiring", None))


def an_application(installation: Installation, folder: Path, now: datetime = NOW) -> Any:
    """Return the application over an installation, its clock standing still.

    There is one per process, wired anew by every call: its routes take a second to make.
    """
    folder.mkdir(parents=True, exist_ok=True)
    app = _application()
    app.state.misses = Misses()
    app.state.wiring = Wiring(
        settings=Settings(data=str(folder), public_url=ORIGIN),
        engine=installation.engine,
        catalogue=installation.catalogue,
        store=DirectoryStore(folder / "files"),
        sealer=UnsealedSealer(),
        mailer=FolderMailer(folder / "mail", sender="calib@localhost"),
        courier=PinnedCourier(),
        clock=lambda: now,
        signer=NoKeys(),
        publisher=Publisher(
            installation.engine,
            NoKeys(),
            LogFolder(folder / "log"),
            LogFolder(folder / "status"),
            FileAnchor(folder / "anchor" / "checkpoint"),
            post,
        ),
    )
    return app


def a_sign_in(installation: Installation, *roles: Role, customer_id: int | None = None) -> str:
    """Return the token of a new person with roles, every role of the lab's own by default."""
    held = roles or tuple(sorted(STAFF))
    with installation_session(installation.engine) as session:
        person_id = people.register_person(
            session,
            email=f"web{next(_people)}@example.org",
            name="Zhou Min",
            password=None,
            now=NOW,
        )
    with context_for(installation) as ctx:
        for role in held:
            owner = customer_id if role in BOUND else None
            people.grant(ctx, person_id=person_id, role=role, customer_id=owner)
    with context_for(installation, *held, person_id=person_id) as ctx:
        return signin.make_token(ctx, name="browser")


class Browser:
    """Somebody at the pages, without JavaScript."""

    def __init__(self, app: Any, token: str = "", language: str = "en") -> None:
        self.client = TestClient(app, base_url=ORIGIN, follow_redirects=False)
        prefix = PREFIX.decode() if is_secure(app) else ""
        self.client.cookies.set(prefix + LANGUAGE_COOKIE, language)
        if token:
            self.client.cookies.set(prefix + COOKIE, token)

    def get(self, path: str) -> Page:
        """Open a page, following redirects."""
        return Page(self.client.get(path, follow_redirects=True))

    def post(self, path: str, files: Any = None, /, **fields: Any) -> Page:
        """Send fields as a form; the redirect after it is not followed."""
        return Page(self.client.post(path, data=fields, files=files))

    def send(self, page: Page, files: Any = None, /, **fields: Any) -> Page:
        """Send the main form of a page with some fields changed, as a person would."""
        form = page.form()
        target = form.get("action") or page.path
        return self.post(target, files, **{**page.fields(), **fields})


class Page:
    """What came back."""

    def __init__(self, response: Any) -> None:
        self.status = response.status_code
        self.text = response.text
        self.headers = response.headers
        self.location = response.headers.get("location", "")
        self.path = response.url.path
        self.document = html.fromstring(self.text) if self.text.strip() else None

    def words(self) -> str:
        """Return the visible words, spaces squeezed."""
        return " ".join(self.document.xpath("//body")[0].text_content().split())

    def form(self) -> Any:
        """Return the main form: the last of the page that is sent by POST to where it stands."""
        forms = self.document.xpath("//main//form[@method='post']")
        own = [form for form in forms if form.get("action") in (None, self.path)]
        return (own or forms)[-1]

    def fields(self) -> dict[str, Any]:
        """Return what a browser would send of the main form, no button pressed."""
        sent: dict[str, Any] = {}
        for name, value in _successful(self.form()):
            before = sent.get(name)
            if before is None:
                sent[name] = value
            else:
                sent[name] = [*(before if isinstance(before, list) else [before]), value]
        return sent

    def problem(self, name: str) -> str:
        """Return what is said beside a field; empty when nothing is wrong with it."""
        found = self.document.xpath("//*[starts-with(@id, $start)]", start=f"{name}-problem")
        return " ".join(element.text_content() for element in found)


def _successful(form: Any) -> Iterator[tuple[str, str]]:
    for field in form.xpath(".//input[@name] | .//select[@name] | .//textarea[@name]"):
        kind = field.get("type", "text") if field.tag == "input" else field.tag
        if kind in ("file", "submit"):
            continue
        if kind in ("checkbox", "radio"):
            if field.get("checked") is not None:
                yield field.get("name"), field.get("value", "on")
        elif kind == "select":
            chosen = field.xpath("./option[@selected]") or field.xpath(".//option[1]")
            if chosen:
                yield field.get("name"), chosen[0].get("value", "")
        elif kind == "textarea":
            yield field.get("name"), field.text or ""
        else:
            yield field.get("name"), field.get("value", "")
