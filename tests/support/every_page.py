"""Every page of the application in a world like daily life, found by following links as people do.

Which pages there are comes from the routes, so a new page is looked at without being listed. A page
that nothing leads to is a fault of its own: people do not type addresses.
"""

from __future__ import annotations

import contextlib
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import httpx
from fastapi import FastAPI
from lxml import html
from sqlalchemy import select
from starlette.routing import compile_path

from api.app import create_app
from api.bootstrap import Wiring, wire
from api.declared import declared
from api.demo.cast import PASSWORD
from api.demo.folder import prepare, settings_of
from instruments.records.parties import Lab
from instruments.tenancy import installation_session
from tests.support import builders
from tests.support.builders import NOW
from tests.support.mail_server import free_port
from tests.support.served import running

STRANGER = ""
ROLES = (
    "technician",
    "signatory",
    "manager",
    "quality_manager",
    "administrator",
    "inspector",
    "station",
)
"""Whom of the laboratory the world is shown to, in this order; the last belongs to a venue."""
SIDES = 5
"""Pages of one route that are looked at, each with other parts on it."""
MOST, MORE = 8, 2
"""Pages of one route that are fetched by the first who may, and by everybody after."""


@dataclass(frozen=True)
class Door:
    """A page, and who opened it."""

    route: str
    path: str
    role: str


@dataclass
class Found:
    """What following links led to."""

    doors: list[Door] = field(default_factory=list)
    """Of each route the pages that differ in what stands on them."""
    files: set[str] = field(default_factory=set)
    """Routes that answer with something else than a page."""
    texts: list[tuple[Door, str]] = field(default_factory=list)
    """Every page that was fetched, and what it said."""
    broken: list[str] = field(default_factory=list)
    """Links to nothing."""


@dataclass(frozen=True)
class World:
    """A running application over the demo world."""

    address: str
    app: FastAPI
    folder: Path
    accounts: dict[str, str]
    """Mail address by role."""
    tokens: tuple[str, ...]
    """Of public pages."""

    def routes(self) -> list[tuple[re.Pattern[str], str]]:
        """Return every address somebody may open in a browser, in the order they are matched."""
        return [
            (compile_path(path)[0], path)
            for method, path, _ in declared(self.app)
            if method == "GET" and not path.startswith("/api/")
        ]

    @contextlib.contextmanager
    def client(self, role: str, language: str = "en") -> Iterator[httpx.Client]:
        """Open what opens pages as somebody."""
        with httpx.Client(base_url=self.address, trust_env=False, timeout=60) as client:
            client.cookies.set("calib_language", language)
            if role != STRANGER:
                form = {"email": self.accounts[role], "password": PASSWORD}
                assert client.post("/sign-in", data=form).status_code == 303, role
            yield client


@contextlib.contextmanager
def a_world(folder: Path) -> Iterator[World]:
    """Serve the demo world, with somebody for every role and a few things it has none of."""
    port = free_port()
    manifest = prepare(folder, port, clock=lambda: NOW)
    wired = wire(settings_of(folder, port), clock=lambda: NOW)
    accounts = {one: f"{one}@lj.example" for one in ("technician", "signatory", "manager")}
    accounts |= {"station": "station@lj.example", "inspector": "inspector@ljamr.example"}
    lab_id = _lab(wired)
    for role in ("quality_manager", "administrator"):
        accounts[role] = f"{role}@lj.example"
        builders.a_person(
            wired.engine, lab_id, (role,), email=accounts[role], name=role.title(),
            password=PASSWORD,
        )  # fmt: skip
    app = create_app(wired)
    tokens = tuple(one["token"] for one in manifest["certificates"][-3:])
    with running(app, port):
        world = World(f"http://127.0.0.1:{port}", app, folder, accounts, tokens)
        _begin(world)
        yield world


def _lab(wired: Wiring) -> int:
    with installation_session(wired.engine, read_only=True) as session:
        return session.scalars(select(Lab.id).where(Lab.code == "LJ")).one()


def _begin(world: World) -> None:
    """Begin what the world has none of: a draft of a method, somebody outside who is told."""
    with world.client("manager") as manager:
        type_id = "thermometer.infrared_forehead"
        manager.post("/methods/copy", data={"type_id": type_id, "version": ""})
        address = {"address": "https://hospital.example/calib", "events": "certificate.issued"}
        manager.post("/lab/webhooks", data=address)


def explore(world: World) -> Found:
    """Follow links as everybody, in English, and return what was found."""
    found = Found()
    seen_sides: dict[str, set[frozenset[str]]] = {}
    for role in (STRANGER, *ROLES):
        starts = ["/", "/account", "/authenticate", "/docs/errors", "/design", "/sign-in"]
        starts += ["/password/forgotten", *(f"/c/{token}" for token in world.tokens)]
        with world.client(role) as client:
            for door, answer in _followed(world, client, role, starts, found):
                sides = seen_sides.setdefault(door.route, set())
                parts = _parts(answer)
                found.texts.append((door, answer))
                if parts not in sides and len(sides) < SIDES:
                    sides.add(parts)
                    found.doors.append(door)
    return found


def _followed(
    world: World, client: httpx.Client, role: str, starts: list[str], found: Found
) -> Iterator[tuple[Door, str]]:
    """Open pages breadth first, a few of each route; yield those that are pages."""
    routes, fetched = world.routes(), dict.fromkeys((path for _, path in world.routes()), 0)
    before = {door.route for door in found.doors}
    queue, known = deque(starts), set(starts)
    while queue:
        address = queue.popleft()
        route = next((path for at, path in routes if at.match(urlsplit(address).path)), "")
        enough = MORE if route in before else MOST
        if not route or route in found.files or fetched[route] >= enough:
            continue
        fetched[route] += 1
        answer = client.get(address)
        if answer.status_code in (302, 303):
            leads = [answer.headers["location"]]
        elif answer.status_code != 200:
            if answer.status_code != 403:
                found.broken.append(f"{role or 'stranger'}: {address} {answer.status_code}")
            continue
        elif not answer.headers["content-type"].startswith("text/html"):
            found.files.add(route)
            continue
        else:
            leads = list(_leads(answer.text))
            if "<main" in answer.text:
                yield Door(route, address, role), answer.text
            else:
                found.files.add(route)  # a part of a page, for scripts
        for lead in leads:
            whole = urlsplit(urljoin(address, lead))
            onward = whole.path + (f"?{whole.query}" if whole.query else "")
            if not whole.netloc and onward not in known:
                known.add(onward)
                queue.append(onward)


def _leads(text: str) -> Iterator[str]:
    """Yield where a page leads: links, and forms that ask, with the first choice of each field."""
    page = html.fromstring(text)
    yield from page.xpath("//a[@href and not(starts-with(@href, '#'))]/@href")
    for form in page.xpath("//form[not(@method) or @method='get']"):
        action = form.get("action") or ""
        chosen = form.xpath(".//select[@name][option[@value!='']]")
        asked = [(one.get("name"), one.xpath("option[@value!=''][1]/@value")[0]) for one in chosen]
        asked += [(one.get("name"), one.get("value")) for one in form.xpath(".//input[@name='id']")]
        yield from (f"{action}?{name}={quote(value)}" for name, value in asked[:6])


def _parts(text: str) -> frozenset[str]:
    """Return of which kinds of things a page is made; numbers and names left out."""
    main = html.fromstring(text).xpath("//main")[0]
    kinds = {word for names in main.xpath(".//@class") for word in names.split()}
    kinds |= {f"/{re.sub('[0-9]+', '', at)}" for at in main.xpath(".//form[@method]/@action")}
    return frozenset(kinds - {"green", "yellow", "red", "number", "nowrap", "count", "tag"})
