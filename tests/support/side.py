"""Several items of one model in one order, each with an open record."""

from __future__ import annotations

from typing import Any

from calib.services import readings
from calib.services.readings import ReadingEntry
from instruments.services.orders import LineRequest
from tests.support import builders
from tests.support.builders import Installation, context_for


def drafts(world: Installation, count: int, **order: Any) -> tuple[int, ...]:
    """Return the ids of open records of forehead thermometers that came in together."""
    with context_for(world) as ctx:
        model = builders.a_model(ctx, world.catalogue)
        customer = builders.a_customer(ctx, address="1 Station Square, Hangzhou")
        items = [
            builders.an_instrument(ctx, world.catalogue, model_id=model.id, customer_id=customer.id)
            for _ in range(count)
        ]
        lines = tuple(LineRequest(instrument_id=item.id) for item in items)
        placed = builders.an_order(
            ctx, world.catalogue, items[0].id, lines=lines, interval_months=12, **order
        )
        return tuple(
            readings.open_calibration(ctx, line.id, catalogue=world.catalogue).id
            for line in placed.lines
        )


def an_entry(value: str | None, input_: str = "t_ref", **more: Any) -> ReadingEntry:
    """Return a first reading at 35.0."""
    given: dict[str, Any] = {"point": "35.0", "place": 0, "revision": 0} | more
    return ReadingEntry("temperature", "as_found", 0, input=input_, value=value, **given)


def current(world: Installation, calibration_id: int) -> dict[str, str | None]:
    """Return the values in force by point, input and number."""
    with context_for(world, read_only=True) as ctx:
        record = readings.get_calibration(ctx, calibration_id)
    slots = (slot.current for slot in record.slots)
    return {f"{r.point}/{r.input}/{r.place}": r.value for r in slots}
