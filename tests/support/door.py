"""A lab at work behind the JSON doors: each of its people with a token, nobody with a browser."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from api.settings import Settings
from calib.adapters.files import DirectoryStore
from instruments.services import signin
from tests.support import issuing
from tests.support.builders import context_for
from tests.support.issuing import Bench, Person
from tests.support.web import ORIGIN, TestClient, an_application

_keys = itertools.count(1)


@dataclass(frozen=True)
class Door:
    """The application over a bench."""

    bench: Bench
    app: FastAPI

    @property
    def wired(self):
        """Return what the application is wired with."""
        return self.app.state.wiring

    @property
    def store(self) -> DirectoryStore:
        """Return the file store."""
        return self.wired.store

    def token(self, person: Person) -> str:
        """Return a new API token of somebody of the bench."""
        with context_for(self.bench.installation, *person.roles, person_id=person.id) as ctx:
            return signin.make_token(ctx, name="door")

    def client(self, token: str = "") -> TestClient:
        """Return a client that sends a token, or none."""
        client = TestClient(self.app, base_url=ORIGIN, follow_redirects=False)
        if token:
            client.headers["Authorization"] = f"Bearer {token}"
        return client

    def as_(self, person: Person) -> TestClient:
        """Return a client that acts for somebody of the bench."""
        return self.client(self.token(person))


def a_door(url: str, folder: Path, **more: Any) -> Door:
    """Return the application over a new bench; jobs are left to nobody."""
    bench = issuing.a_bench(url, **more)
    app = an_application(bench.installation, folder)
    app.state.wiring = _without_jobs(app.state.wiring)
    return Door(bench, app)


def _without_jobs(wired):
    settings = Settings(data=wired.settings.data, public_url=issuing.BASE, jobs="worker")
    return dataclasses.replace(wired, settings=settings)


def a_key() -> dict[str, str]:
    """Return the header of an act that happens once, with a key of its own."""
    return {"Idempotency-Key": f"key-{next(_keys):08d}"}


def seen(answer: Any) -> dict[str, str]:
    """Return the header that says on which version a change is made."""
    return {"If-Match": answer.headers["ETag"]}


def problem_of(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of an answer after looking at its shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["type"] == f"/docs/errors#{code}"
    assert found["detail"]
    assert {"title", "at", "clause"} <= found.keys()
    return found
