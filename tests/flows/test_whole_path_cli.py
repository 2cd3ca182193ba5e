"""A new installation, worked by the command line, from the register to the reminder."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.bootstrap import wire
from api.settings import read_settings
from instruments.context import Actor, Context
from instruments.policy import Role
from instruments.services import signin
from instruments.tenancy import lab_session
from tests.support import builders
from tests.support.builders import SHANGHAI
from tests.support.journey import as_table, text_of
from tests.support.mail_server import free_port, mail_server
from tests.support.program import Program

ROWS = (("0", "0.010", "0.01"), ("50", "50.020", "50.04"), ("100", "100.000", "100.05"))
PEOPLE: dict[str, tuple[Role, ...]] = {
    "technician": ("technician",),
    "reviewer": ("reviewer",),
    "signatory": ("signatory",),
    "manager": ("manager",),
}


@pytest.fixture
def mails():
    with mail_server() as server:
        yield server


@pytest.fixture
def program(tmp_path: Path, mails) -> Program:
    return Program(
        {
            "CALIB_DATA": str(tmp_path / "data"),
            "CALIB_JOBS": "worker",
            "CALIB_NOTICE_HOUR": "0",
            "CALIB_SMTP_HOST": "127.0.0.1",
            "CALIB_SMTP_PORT": str(mails.port),
            "CALIB_PUBLIC_URL": f"http://127.0.0.1:{free_port()}",
        }
    )


def founded(program: Program) -> dict[str, str]:
    """Open a lab and its accounts; return everybody's token."""
    wired = wire(read_settings(program.settings))
    lab_id = builders.a_lab(wired.engine, "HZ", address_en="1 Road", address_zh="一号路")
    tokens = {}
    for person, roles in PEOPLE.items():
        id_ = builders.a_person(wired.engine, lab_id, roles, name=person.title())
        with lab_session(wired.engine, lab_id) as session:
            actor = Actor(id_, person.title(), frozenset(roles))
            ctx = Context(session, lab_id, actor, wired.clock(), builders.SHANGHAI)
            tokens[person] = signin.make_token(ctx, name="commands")
    wired.engine.dispose()
    return tokens


def furnished(client: httpx.Client, token: str) -> None:
    """Enter what has no command of its own: lab address, customer, site, model, standard."""
    client.headers["Authorization"] = f"Bearer {token}"

    def sent(path: str, **body: Any) -> int:
        answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        number: int = answer.json()["id"]
        return number

    customer = sent(
        "customers", name_en="East Station", name_zh="东站", address="1 Square", contact="Ms He",
        email="owner@station.example", kind="transport", language="en",
    )  # fmt: skip
    sent(
        "sites", customer_id=customer, name_en="Hall", name_zh="大厅", venue_type="railway_station"
    )
    sent(
        "models", type_id="thermometer.digital_probe", maker="Thermolab", model="TL-3",
        use="industrial", resolution={"temperature": "0.01"},
    )  # fmt: skip
    standard = sent(
        "standards", code="S-1", name_en="Pt 100", name_zh="铂电阻", serial="PT-1",
        quantity="temperature", unit="degC",
    )  # fmt: skip
    today = datetime.now(SHANGHAI).date()  # the lab's day
    sent(
        f"standards/{standard}/certificates", number="N-1", issuer="National Institute",
        calibrated_on=str(today - timedelta(days=100)),
        valid_until=str(today + timedelta(days=200)),
        values=[{"indication": "20", "reference": "20", "expanded_uncertainty": "0.010"}],
        low="-40", high="330",
    )  # fmt: skip


def colour(client: httpx.Client) -> tuple[str, str]:
    item = client.get("/api/v1/board").json()["sites"][0]["items"][0]
    return item["judgement"]["colour"], item["certificate_number"]


@pytest.mark.slow
def test_register_to_reminder_by_commands(program, mails, tmp_path):
    tokens = founded(program)
    technician = tokens["technician"]
    with program.served() as client:
        furnished(client, tokens["manager"])
        registered(program, technician, tmp_path)
        assert colour(client) == ("red", "")

        record = opened(program, technician)
        measured(program, technician, record, tmp_path)
        for person, act in (
            ("technician", "submit"), ("reviewer", "review"), ("signatory", "authorise")
        ):  # fmt: skip
            done = program.asked("record", act, record, token=tokens[person])
        assert done["state"] == "authorised"
        issued = program.asked("certificate", "issue", record, token=tokens["signatory"])

        file = tmp_path / "certificate.pdf"
        program.asked("certificate", "print", issued["number"], "--to", file, token=technician)
        assert issued["number"] in text_of(file.read_bytes())

        client.headers.pop("Authorization")
        page = client.get(f"/c/{issued['token']}")
        assert page.status_code == 200
        assert issued["number"] in page.text
        client.headers["Authorization"] = f"Bearer {tokens['manager']}"
        assert colour(client) == ("yellow", issued["number"])  # due in a month

    due = program.asked("due", "--within", "5w", token=technician)
    assert [item["serial"] for item in due] == ["TL3-0001"]
    (mail,) = reminded(program, mails)
    assert "owner@station.example" in mail["X-Envelope"]
    assert "TL3-0001" in mail.get_body().get_content()


def registered(program: Program, token: str, folder: Path) -> None:
    table = folder / "instruments.csv"
    table.write_text(
        "serial,maker,model,customer,site,interval months\n"
        "TL3-0001,Thermolab,TL-3,East Station,Hall,1\n"
    )
    done = program.asked("import", "instruments", table, token=token)
    assert done["created"] == 1


def opened(program: Program, token: str) -> int:
    (item,) = program.asked("instrument", "find", "TL3-0001", token=token)
    order = program.asked(
        "order", "request", "--instrument", item["id"], "--points", "temperature=0,50,100",
        "--interval-months", 1, "--print-due", token=token,
    )  # fmt: skip
    program.asked("order", "accept", order["id"], token=token)
    program.asked("order", "receive", order["id"], "--condition", "undamaged", token=token)
    (record,) = program.asked("order", "open", order["id"], token=token)
    number: int = record["id"]
    return number


def measured(program: Program, token: str, record: int, folder: Path) -> None:
    table = folder / "log.csv"
    table.write_bytes(as_table(ROWS))
    done = program.asked("import", "readings", table, "--calibration", record, token=token)
    assert done["created"] == 24
    program.asked("record", "condition", record, "temperature", "21.3", "degC", token=token)
    today = datetime.now(SHANGHAI).date()  # the lab's day
    program.asked("record", "facts", record, "--performed-on", today, token=token)
    draft = program.asked("record", "evaluate", record, token=token)
    for found in draft["findings"]:
        program.asked(
            "record", "accept-warning", record, f"{found['code']}@{found['at']}",
            "--reason", "seen", token=token,
        )  # fmt: skip


def reminded(program: Program, mails) -> list:
    """Run the jobs until the owner's mail is there."""
    came = threading.Event()
    taken = type(mails).handle_DATA

    async def taking(self, *arguments):
        answer = await taken(self, *arguments)
        if any("owner@station.example" in mail["X-Envelope"] for mail in self.received):
            came.set()
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(mails), "handle_DATA", taking)
        with program.running("worker"):
            assert came.wait(60), "no reminder came"
    return [mail for mail in mails.received if "owner@station.example" in mail["X-Envelope"]]
