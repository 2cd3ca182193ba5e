"""The demo world: the same every time, true to what it promises, served at once when built."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api.bootstrap import Wiring, wire
from api.demo.folder import prepare, settings_of
from calib.certificates.dcc import read_dcc
from calib.records.calibrations import Calibration
from calib.records.certificates import Certificate, LedgerLeaf
from calib.services import board, ledger, lookup, public, recall
from calib.services.log import CHECKPOINT
from calib.services.statuses import LIST
from instruments.context import Actor, Context
from instruments.db import open_engine
from instruments.errors import Refused
from instruments.records.instruments import Instrument
from instruments.records.orders import Order
from instruments.records.parties import Lab
from instruments.records.sites import Site
from instruments.services import orders
from instruments.services.audit import check_chain
from instruments.tenancy import installation_session, lab_session
from tests.support.builders import NOW, SHANGHAI
from tests.support.mail_server import free_port
from tests.support.program import Program

pytestmark = pytest.mark.slow
PORT = 8000
STATIONS = {"draft", "submitted", "reviewed", "authorised", "issued", "closed"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return the folder of a world."""
    made = tmp_path_factory.mktemp("demo") / "world"
    prepare(made, PORT, clock=lambda: NOW)
    return made


@pytest.fixture(scope="module")
def world(folder) -> Iterator[Wiring]:
    wired = wire(settings_of(folder, PORT), clock=lambda: NOW)
    yield wired
    wired.engine.dispose()


@pytest.fixture
def ctx(world) -> Iterator[Context]:
    """Look at the first lab as its manager."""
    with lab_session(world.engine, 1, read_only=True) as session:
        actor = Actor(1, "Zheng Hong", frozenset({"manager"}))
        yield Context(session, 1, actor, NOW, SHANGHAI)


def told(folder: Path) -> dict[str, Any]:
    """Return what a world says of itself, without what is drawn by lot: tokens."""
    engine = open_engine(settings_of(folder, PORT).url)
    with installation_session(engine, read_only=True) as session:
        rows = session.scalars(select(Certificate).order_by(Certificate.id)).all()
        certificates = [
            (c.number, c.verdict, c.performed_on, c.due_on, c.instrument_id, c.kind) for c in rows
        ]
        instruments = session.execute(
            select(Instrument.barcode, Instrument.serial, Instrument.due_on).order_by(Instrument.id)
        ).all()
        states = session.execute(select(Calibration.id, Calibration.state)).all()
    engine.dispose()
    return {
        "certificates": certificates,
        "instruments": [tuple(row) for row in instruments],
        "records": [tuple(row) for row in states],
    }


def until(lines: Iterator[bytes], last: bytes) -> Iterator[bytes]:
    for line in lines:
        yield line
        if line == last:
            return


@pytest.mark.nightly
def test_two_worlds_of_one_day_are_alike(folder, tmp_path):
    prepare(tmp_path / "again", PORT, clock=lambda: NOW)
    assert told(tmp_path / "again") == told(folder)


def test_its_log_and_its_status_list_are_published_when_it_is_built(world, folder):
    """Whoever builds it to serve it elsewhere has everything that verifiers ask for."""
    head = world.publisher.log_files.read(CHECKPOINT)
    assert head is not None
    with installation_session(world.engine, read_only=True) as session:
        lines = session.scalar(select(func.count()).select_from(LedgerLeaf))
        found = public.public_certificate(session, _issued(session), NOW)
    assert int(head.split(b"\n")[1]) == lines > 0
    listed = world.publisher.status_files.read(LIST)
    assert listed is not None
    assert f"{world.settings.log_origin}\n".encode() in listed
    assert found is not None
    for name in found.unconfirmed_limits:
        assert not re.search("[a-z]{3}", name.zh), name


def _issued(session) -> str:
    """Return the token of a certificate with limits that are not confirmed, if there is one."""
    rows = session.scalars(select(Certificate).order_by(Certificate.id)).all()
    found = [(row.token, public.public_certificate(session, row.token, NOW)) for row in rows]
    known = [(token, one) for token, one in found if one is not None]
    return max(known, key=lambda pair: len(pair[1].unconfirmed_limits))[0]


def test_it_has_two_labs_three_venues_and_forty_instruments(world):
    with installation_session(world.engine, read_only=True) as session:
        counts = [
            session.scalar(select(func.count()).select_from(table).where(*where))
            for table, where in (
                (Lab, ()),
                (Site, (Site.lab_id == 1,)),
                (Instrument, (Instrument.lab_id == 1,)),
            )
        ]
        venues = set(session.scalars(select(Site.venue_type)))
    assert counts == [3, 3, 40]  # the third is the authority
    assert venues == {"railway_station", "school", "hospital"}


def test_some_failed_one_was_amended_and_some_are_overdue(world, ctx):
    found = lookup.certificates(ctx, limit=500)
    states = Counter(view.state for view in found)
    assert states["superseded"] == 1
    assert set(states) == {"issued", "superseded"}
    amended = next(view for view in found if view.replaces)
    assert amended.events[-1].event == "issued"
    assert Counter(view.verdict for view in found)["fail"] >= 1
    overdue = [item for item in recall.due_list(ctx, 0) if item.due_on < ctx.today]
    assert overdue


def test_an_order_waits_at_every_station(world, ctx):
    waiting = Counter(order.state for order in orders.list_orders(ctx))
    assert {"requested", "accepted"} <= set(waiting)
    with installation_session(world.engine, read_only=True) as session:
        states = set(session.scalars(select(Calibration.state)))
        assert session.scalar(select(func.count()).select_from(Order)) > 30
        assert set(session.scalars(select(Calibration.simulated))) == {True}
    assert states == STATIONS


def test_the_board_shows_all_three_colours(world, ctx):
    found = board.board(ctx, catalogue=world.catalogue)
    assert all(found.count(colour) for colour in ("green", "yellow", "red"))
    assert sum(len(site.items) for site in found.sites) == 40


def test_every_certificate_was_truly_issued(world, folder, ctx):
    for view in lookup.certificates(ctx, limit=500):
        pdf = next(file for file in view.files if file.role == "pdf")
        assert world.store.get(pdf.sha256) == (folder / "certificates" / pdf.name).read_bytes()
    with installation_session(world.engine, read_only=True) as session:
        assert ledger.check(session) == ()
        assert check_chain(session, 1) == ()


def test_a_built_world_is_taken_as_it_is(folder):
    before = (folder / "calib.db").stat().st_mtime_ns
    found = prepare(folder, PORT)
    assert (folder / "calib.db").stat().st_mtime_ns == before
    assert {"folder", "database", "accounts", "certificates"} <= found.keys()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    kept = tmp_path / "mine.txt"
    kept.write_text("mine")
    for fresh in (False, True):
        with pytest.raises(Refused, match="no demo world"):
            prepare(tmp_path, PORT, fresh=fresh)
    assert kept.read_text() == "mine"


def test_what_the_command_prints_is_one_document_with_everything(folder):
    done = Program()("demo", "--folder", folder, "--port", PORT, "--build-only", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["address"] == f"http://127.0.0.1:{PORT}"
    assert found["folder"] == str(folder)
    assert found["database"].startswith("sqlite:///")
    assert all({"role", "lab", "name", "password", "token"} <= a.keys() for a in found["accounts"])
    assert {a["role"] for a in found["accounts"]} == {
        "technician", "reviewer", "signatory", "manager", "venue_operator", "regulator",
    }  # fmt: skip
    assert len(found["certificates"]) > 25
    for certificate in found["certificates"]:
        assert set(certificate) == {"number", "token", "pdf", "xml"}
        assert Path(certificate["pdf"]).read_bytes().startswith(b"%PDF")
        assert read_dcc(Path(certificate["xml"]).read_bytes()).number == certificate["number"]


def test_the_served_world_answers_the_account_and_the_code_of_a_certificate(folder):
    copied = folder.with_name("served")
    shutil.copytree(folder, copied)
    program = Program()
    port = free_port()
    arguments = ("demo", "--folder", copied, "--port", port, "--json")
    with program.running(*arguments) as process:
        lines = iter(process.stdout.readline, b"")
        found = json.loads(b"".join(until(lines, b"}\n")))
        with httpx.Client(base_url=found["address"], timeout=60) as client:
            token = found["accounts"][0]["token"]
            headers = {"Authorization": f"Bearer {token}"}
            assert client.get("/api/v1/board", headers=headers).status_code == 200
            certificate = found["certificates"][0]
            page = client.get(f"/c/{certificate['token']}")
            assert certificate["number"] in page.text
            assert client.get("/readyz").json()["status"] == "ready"
