"""A laboratory with a thousand instruments in forty venues of one operator, most certified."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from instruments.records.instruments import Instrument
from instruments.services import sites
from instruments.services.import_rows import Ready, write_rows
from tests.support.builders import NOW, Installation, a_customer, a_model, context_for, told
from tests.support.certified import a_certificate, a_record, an_order_of
from tests.support.web import a_world

VENUES, EACH = 40, 25
DISTRICTS = ("Xihu", "Gongshu", "Shangcheng", "Binjiang")
VERDICTS = ("pass", "pass", "pass", "undetermined", "fail")
DUE = (-40, -3, 0, 12, 29, 90, 200, 300)
"""Days from today, in turns."""


def a_big_board(folder: Path, venues: int = VENUES, each: int = EACH) -> Installation:
    """Return a lab whose customer has so many venues with so many instruments each."""
    made = a_world(folder)
    with context_for(made) as ctx:
        owner = a_customer(ctx, name_en="Metro Company", name_zh="地铁公司").id
        model = a_model(ctx, made.catalogue, maker="Haikang", model="HT-82")
        halls = [
            sites.create_site(
                ctx, customer_id=owner, name_en=f"Station {n:02d}", name_zh=f"{n:02d} 号站",
                venue_type="metro", district=DISTRICTS[n % len(DISTRICTS)],
            ).id
            for n in range(venues)
        ]  # fmt: skip
        ready = [
            Ready(model.id, owner, hall, f"M-{hall}-{n}", f"A{n:03d}", "", f"Gate {n}", 1, "", 12)
            for hall in halls
            for n in range(each)
        ]
        ids = write_rows(ctx, ready)
        told(ctx.session)
    for start in range(0, len(ids), 200):
        with context_for(made) as ctx:
            order = an_order_of(ctx, made.catalogue, owner, *ids[start : start + 200])
            for place, line in enumerate(order.lines, start):
                if place % 9 == 8:
                    continue  # never certified
                record = a_record(ctx, line, "issued")
                verdict = VERDICTS[place % len(VERDICTS)]
                a_certificate(ctx, record, f"HZ-{place:05d}", "issued", verdict=verdict)
                due_on = NOW.date() + timedelta(days=DUE[place % len(DUE)])
                _due(ctx.session.get_one(Instrument, line.instrument.id), due_on)
            told(ctx.session)
    return made


def _due(row: Instrument, day: date) -> None:
    row.due_on = day
