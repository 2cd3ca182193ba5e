"""What those outside a lab are shown, field by field: the public, a customer, a venue, the board.

`python -m tests.support.fields_seen` writes docs/operate/fields.csv for people to review.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import html
from sqlalchemy import select

from calib.records.certificates import Certificate
from calib.services import amendment, readings, review
from instruments.services.order_request import LineRequest
from instruments.tenancy import installation_session
from tests.house.source import ROOT
from tests.support import builders, issuing
from tests.support.builders import context_for
from tests.support.door import Door, a_door
from tests.support.issuing import Bench
from tests.support.overseen import a_token_with_work
from tests.support.web import a_sign_in

EMPTY = ("", None, [], {})
PAGE = ROOT / "docs" / "operate" / "fields.csv"
OUTSIDE = ("customer", "venue_operator")
JSON = (
    "account/acts", "board", "certificates", "certificates/1", "customers", "customers/1", "due",
    "instruments", "instruments/1", "instruments/1/history", "instruments/1/transfers",
    "models/1", "orders", "orders/1", "sites", "sites/1",
)  # fmt: skip
"""What a customer and the operator of a venue may read; types hold nothing of anybody."""
PAGES = (
    "/board", "/board/wall", "/orders/1", "/instruments/1", "/instruments/1/reading?reading=50",
    "/certificates/1", "/customers/1",
)  # fmt: skip


OVERSEEN = (
    "/oversight", "/oversight/instruments", "/oversight/laboratories", "/oversight/problems",
    "/oversight/problems/new", "/oversight/problems/1", "/oversight/reports",
    "/oversight/reports/draft", "/oversight/reports/1", "/oversight/reports/1/figures/0",
)  # fmt: skip
"""The pages that a regulator may read."""
OVERSEEN_JSON = (
    "oversight/coverage", "oversight/instruments", "oversight/laboratories", "oversight/problems",
    "oversight/problems/1", "oversight/reports", "oversight/reports/draft", "oversight/reports/1",
    "oversight/reports/1/rows",
)  # fmt: skip
"""What a regulator may read through the JSON doors."""


def a_filled_door(folder: Path) -> Door:
    """Return a lab whose customer has one of everything, number 1; its certificate is withdrawn."""
    door = a_door(f"sqlite+pysqlite:///{folder / 'calib.db'}", folder)
    with context_for(door.bench.installation) as ctx:
        builders.a_site(ctx, door.bench.customer_id)
    bench = door.bench
    paid = {"fee": "80.00", "fee_waiver": "small firm"}
    first = issuing.issued(bench, door.store, issuing.authorised(bench, **paid))
    with bench.as_(bench.signatory) as ctx:
        amendment.withdraw(ctx, first.certificate_id, "misread", bench.reviewer.id)
    issuing.issued(bench, door.store, _measured_again(bench))
    return door


def _measured_again(bench: Bench) -> int:
    """Return a record of instrument 1 ready to be issued."""
    with bench.as_(issuing.everybody(bench)) as ctx:
        line = LineRequest(instrument_id=1, points={"temperature": ("0", "50", "100")})
        asked = {"decision_rule": "none", "interval_months": 12, "lines": (line,)}
        order = builders.an_order(ctx, bench.catalogue, 1, **asked)
        record = readings.open_calibration(ctx, order.lines[0].id, catalogue=bench.catalogue)
    with bench.as_(bench.technician) as ctx:
        issuing.fill(ctx, record.id)
        review.submit(ctx, record.id, issuing.version_of(ctx, record.id))
    issuing.approve(bench, record.id)
    return record.id


def shown_of(answer: Any, inside: Any) -> set[str]:
    """Return the places of the fields that outsiders are shown.

    A field that holds something for the lab's own people and nothing for them is withheld.
    """
    shown = filled_of(answer)
    withheld = filled_of(inside) - shown
    return set(fields_of(answer)) - withheld


def filled_of(value: Any) -> set[str]:
    """Return the places of the fields that hold anything."""
    return {at for at, held in _held(value) if held not in EMPTY}


def _held(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    inner = value.items() if isinstance(value, dict) else (("*", one) for one in value)
    for name, held in inner:
        yield f"{at}/{name}", held
        if isinstance(held, dict | list):
            yield from _held(held, f"{at}/{name}")


def fields_of(value: Any, at: str = "") -> Iterator[str]:
    """Yield the places of all fields of a JSON value, of lists once."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{at}/{name}"
            yield from fields_of(inner, f"{at}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from fields_of(inner, f"{at}/*")


def words_of(page: str) -> Iterator[str]:
    """Yield what a page calls the things that it shows: headings of tables, terms of lists."""
    shown = html.fromstring(page)
    for tip in shown.xpath("//*[@role='tooltip']"):
        tip.drop_tree()  # what a word means is no field
    for element in shown.xpath("//main//dt | //main//th | //main//label"):
        words = " ".join(element.text_content().split())
        yield re.sub(r"\d+", "…", words)  # whichever number, size or day it is, the field is one


def seen(door: Door) -> set[tuple[str, str, str]]:
    """Return who sees what of which view."""
    with installation_session(door.bench.engine, read_only=True) as session:
        token = session.scalars(select(Certificate.token).order_by(Certificate.id.desc())).first()
    nobody = door.client()
    answer = nobody.get(f"/api/v1/public/certificates/{token}")
    assert answer.status_code == 200, answer.text
    found = {("public", "GET /api/v1/public/certificates", one) for one in fields_of(answer.json())}
    found |= {("public", "page /c", one) for one in words_of(nobody.get(f"/c/{token}").text)}
    inside = door.client(a_sign_in(door.bench.installation))
    for role in OUTSIDE:
        customer = door.bench.customer_id
        client = door.client(a_sign_in(door.bench.installation, role, customer_id=customer))
        for path in JSON:
            answer = client.get(f"/api/v1/{path}")
            assert answer.status_code == 200, (path, answer.text)
            view = f"GET /api/v1/{path}"
            shown = shown_of(answer.json(), inside.get(f"/api/v1/{path}").json())
            found |= {(role, view, one) for one in shown}
        for path in PAGES:
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.text[:300])
            found |= {(role, f"page {path}", one) for one in words_of(answer.text)}
    overseer = door.client(a_token_with_work(door))
    for path in OVERSEEN:
        answer = overseer.get(path)
        assert answer.status_code == 200, (path, answer.text[:300])
        found |= {("regulator", f"page {path}", one) for one in words_of(answer.text)}
    for path in OVERSEEN_JSON:
        answer = overseer.get(f"/api/v1/{path}")
        assert answer.status_code == 200, (path, answer.text[:300])
        view = f"GET /api/v1/{path}"
        found |= {("regulator", view, one) for one in fields_of(answer.json())}
    return found


def written() -> set[tuple[str, ...]]:
    """Return the fields as they were reviewed."""
    with PAGE.open(newline="", encoding="utf-8") as file:
        return {tuple(row) for row in csv.reader(file)} - {("who", "view", "field")}


def write() -> None:
    """Write the fields."""
    with tempfile.TemporaryDirectory() as folder:
        door = a_filled_door(Path(folder))
        rows = sorted(seen(door))
        door.bench.engine.dispose()
    with PAGE.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("who", "view", "field"), *rows])


if __name__ == "__main__":
    write()
