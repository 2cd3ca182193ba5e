"""Records of a served lab at each station of the path, made through the services."""

from __future__ import annotations

from datetime import date
from typing import Any

from calib.services import issue, readings, review
from calib.services.calibration_views import CalibrationView
from calib.services.readings import ConditionEntry, ReadingEntry
from instruments.context import Context
from instruments.services import labs
from tests.support import builders
from tests.support.builders import NOW, Installation, context_for
from tests.support.served import Served

ROWS = (("35.0", "35.00", "35.1"), ("37.0", "37.00", "37.1"), ("41.0", "41.00", "40.9"))


def a_draft(world: Installation, **more: Any) -> CalibrationView:
    """Return an open record of a forehead thermometer, or of another type with its own order."""
    order = more.pop("order", {})
    with context_for(world) as ctx:
        model = builders.a_model(ctx, world.catalogue, **more.pop("model", {}))
        customer = builders.a_customer(ctx, address="1 Station Square, Hangzhou")
        site = builders.a_site(ctx, customer.id)
        item = builders.an_instrument(
            ctx,
            world.catalogue,
            model_id=model.id,
            customer_id=customer.id,
            site_id=site.id,
            **more,
        )
        placed = builders.an_order(ctx, world.catalogue, item.id, interval_months=12, **order)
        return readings.open_calibration(ctx, placed.lines[0].id, catalogue=world.catalogue)


def a_lot(world: Installation, pieces: int) -> CalibrationView:
    """Return an open record of a lot of glass thermometers."""
    with context_for(world) as ctx:
        item = builders.a_model(
            ctx,
            world.catalogue,
            type_id="thermometer.glass_clinical",
            resolution={"temperature": "0.1"},
            calibration_mode=None,
        )
        lot = builders.an_instrument(ctx, world.catalogue, model_id=item.id, pieces=pieces)
        line = builders.orders.LineRequest(instrument_id=lot.id, verification_kind="initial")
        placed = builders.an_order(
            ctx,
            world.catalogue,
            lot.id,
            kind="verification",
            decision_rule="regulation",
            lines=(line,),
        )
        return readings.open_calibration(ctx, placed.lines[0].id, catalogue=world.catalogue)


def fill(ctx: Context, calibration_id: int) -> None:
    """Enter all readings and circumstances of a forehead thermometer."""
    entries = [
        ReadingEntry("temperature", "as_found", 0, point, name, place, value, 0)
        for point, reference, indication in ROWS
        for name, value in (("t_ref", reference), ("t_ind", indication))
        for place in range(10)
    ]
    readings.enter(ctx, calibration_id, entries)
    for quantity, value, unit in (
        ("temperature", "22.8", "degC"),
        ("relative_humidity", "52", "%RH"),
    ):
        readings.enter_condition(
            ctx, calibration_id, ConditionEntry(quantity, "start", value, unit, 0)
        )
    version = readings.get_calibration(ctx, calibration_id).version
    readings.set_facts(
        ctx,
        calibration_id,
        version,
        performed_on=date(2026, 3, 2),
        acclimatisation_minutes=30,
    )


def a_submitted(world: Installation) -> int:
    """Return a record handed over for review."""
    record = a_draft(world)
    with context_for(world) as ctx:
        fill(ctx, record.id)
        review.submit(ctx, record.id, _version(ctx, record.id))
    return record.id


def an_authorised(world: Installation, other_person_id: int) -> int:
    """Return a record that may be issued, reviewed and authorised by another person."""
    id_ = a_submitted(world)
    with context_for(world, person_id=other_person_id) as ctx:
        review.review(ctx, id_, _version(ctx, id_))
        review.authorise(ctx, id_, _version(ctx, id_))
    return id_


def an_issued(site: Served, other_person_id: int) -> issue.IssuedView:
    """Return an issued certificate of a served lab."""
    id_ = an_authorised(site.world, other_person_id)
    with context_for(site.world) as ctx:
        version = _version(ctx, id_)
    wired = site.wired
    return issue.issue_certificate(
        wired.engine,
        wired.store,
        wired.sealer,
        lambda: context_for(site.world, person_id=other_person_id),
        id_,
        version,
        f"issue-of-{id_}",
        public_base=site.address,
        clock=lambda: NOW,
    )


def with_address(world: Installation) -> None:
    """Give the lab an address: certificates print it."""
    with context_for(world) as ctx:
        labs.update_lab(ctx, address_en="1 Measure Road, Hangzhou", address_zh="杭州市计量路1号")


def _version(ctx: Context, calibration_id: int) -> int:
    return readings.get_calibration(ctx, calibration_id).version
