"""The real application behind a real server on loopback, and a real browser in front of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from api.app import create_app
from api.bootstrap import Wiring, wire
from api.settings import Settings
from instruments.policy import Role
from instruments.services import labs
from tests.support import builders
from tests.support.builders import NOW, PASSWORD, Installation
from tests.support.mail_server import MailServer, free_port, mail_server

PATIENCE = 30
"""Seconds until a server that should have started is taken for dead."""


class Clock:
    """The instant of the application; a test may let days pass."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: int) -> None:
        """Let days pass."""
        self.now += timedelta(days=days)


@dataclass(frozen=True)
class Served:
    """A running application with a lab of three people who can sign in."""

    address: str
    wired: Wiring
    world: Installation
    clock: Clock
    mails: MailServer
    people: dict[str, str]
    """Mail address by role."""


@contextlib.contextmanager
def served(folder: Path, *, host: str = "127.0.0.1") -> Iterator[Served]:
    """Run the application over a new lab with one standard, on a free port of loopback."""
    clock, port = Clock(), free_port()
    with mail_server() as mails:
        wired = wire(
            Settings(
                data=str(folder),
                public_url=f"http://{host}:{port}",
                smtp_host="127.0.0.1",
                smtp_port=str(mails.port),
                mail_from="lab@example.org",
                jobs="worker",
            ),
            clock=clock,
        )
        world = _a_lab(wired)
        roles: tuple[Role, ...] = (
            "technician",
            "reviewer",
            "signatory",
            "quality_manager",
            "manager",
        )
        people = {role: _a_person(world, role) for role in roles}
        with running(create_app(wired), port):
            yield Served(f"http://{host}:{port}", wired, world, clock, mails, people)


def _a_lab(wired: Wiring) -> Installation:
    lab_id = builders.a_lab(wired.engine, "HZ", email="office@lab.example.org")
    person_id = builders.a_person(wired.engine, lab_id)
    world = Installation(wired.engine, wired.catalogue, lab_id, person_id)
    with builders.context_for(world) as ctx:
        labs.update_lab(ctx, address_en="1 Measure Road, Hangzhou", address_zh="杭州市计量路1号")
        builders.a_standard(ctx, code="S-014")
    return world


def _a_person(world: Installation, role: Role) -> str:
    email = f"{role}@lab.example.org"
    builders.a_person(
        world.engine, world.lab_id, (role,), email=email, name=role.title(), password=PASSWORD
    )
    return email


@contextlib.contextmanager
def running(app: Any, port: int) -> Iterator[None]:
    """Serve an application on a port of loopback."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="served")
    started = threading.Event()
    startup = server.startup

    async def told(sockets: Any = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = told  # type: ignore[method-assign]
    thread.start()
    try:
        assert started.wait(PATIENCE), "the server did not start"
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


@contextlib.contextmanager
def a_browser(chromium: str) -> Iterator[Browser]:
    """Run a Chromium without a window."""
    quiet = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(quiet))
        yield browser
        browser.close()


def sign_in(context: BrowserContext, site: Served, role: str) -> Page:
    """Sign in through the form and return the page after it."""
    page = context.new_page()
    page.goto(f"{site.address}/sign-in")
    page.fill("#email", site.people[role])
    page.fill("#password", PASSWORD)
    page.click("form[action='/sign-in'] button")
    page.wait_for_url(f"{site.address}/")
    return page


_PASTE = """(cell, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  cell.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""


def paste(cell: Locator, block: str) -> None:
    """Paste a block of text into a cell, as a spreadsheet puts it on the clipboard."""
    cell.focus()
    cell.evaluate(_PASTE, block)
