"""The board and the history of an instrument: who sees what, in which colour, at what cost."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest

from calib.services import lookup
from calib.services.board import board, card
from instruments.catalogue.loader import load_catalogue
from instruments.errors import NotFound
from instruments.services import orders
from instruments.tenancy import lab_session
from tests.support.certified import (
    a_certificate,
    a_record,
    an_event,
    an_order_of,
    certified,
    received,
)
from tests.support.due_world import a_model, counted, ctx_of

CATALOGUE = load_catalogue()


def codes(view):
    return [item.judgement.code for site in view.sites for item in site.items]


def test_every_instrument_stands_with_its_venue_gravest_first(world):
    good = world.instrument(world.station, "2026-09-01", location="Gate 1")
    late = world.instrument(world.station, "2026-02-01")
    soon = world.instrument(world.station, "2026-03-10")
    world.instrument(world.school, None)
    world.instrument(world.station, None, status="scrapped")
    with ctx_of(world) as ctx:
        for n, id_ in enumerate((good, late, soon)):
            certified(world, ctx, CATALOGUE, id_, f"HZ-{n}")
        view = board(ctx, catalogue=CATALOGUE)
    station, school = view.sites
    assert station.name.text("en") == "Hall A"
    assert station.venue_type == "railway_station"
    assert [item.judgement.code for item in station.items] == ["overdue", "due-soon", "passed"]
    assert [item.days_left for item in station.items] == [-29, 8, 183]
    assert [item.judgement.code for item in school.items] == ["never-certified"]
    assert (view.count("red"), view.count("yellow"), view.count("green")) == (2, 1, 1)
    assert station.items[2].location == "Gate 1"
    assert station.items[2].certificate_number == "HZ-0"
    assert station.items[2].type_name.zh


def test_an_operator_sees_the_own_venues_alone(world):
    world.instrument(world.station, "2026-09-01")
    world.instrument(world.school, "2026-09-01")
    with ctx_of(world, customer_id=world.school) as ctx:
        assert [site.customer_id for site in board(ctx, catalogue=CATALOGUE).sites] == [
            world.school
        ]
        other = board(ctx, catalogue=CATALOGUE, site_id=world.sites[world.station])
        assert other.sites == ()


def test_one_venue_can_be_asked_for(world):
    world.instrument(world.station, "2026-09-01")
    world.instrument(world.school, "2026-09-01")
    with ctx_of(world) as ctx:
        view = board(ctx, catalogue=CATALOGUE, site_id=world.sites[world.school])
    assert [site.site_id for site in view.sites] == [world.sites[world.school]]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"use": "industrial"}, "industrial-not-for-people"),
        ({"calibration_mode": None, "calibration_mode_source": ""}, "not-calibratable"),
        (
            {
                "type_id": "thermometer.digital_probe",
                "use": "industrial",
                "calibration_mode": None,
                "calibration_mode_source": "",
            },
            "never-certified",
        ),
    ],
)
def test_the_model_decides_what_it_is_good_for(world, given, code):
    with ctx_of(world) as ctx:
        model_id = a_model(ctx, model="M2", **given)
    world.instrument(world.station, None, model_id=model_id)
    with ctx_of(world) as ctx:
        assert codes(board(ctx, catalogue=CATALOGUE)) == [code]


def test_a_type_that_left_the_catalogue_is_still_shown(world):
    world.instrument(world.station, None)
    with ctx_of(world) as ctx:
        item = board(ctx, catalogue=type(CATALOGUE)(())).sites[0].items[0]
    assert item.type_name.en == "thermometer.infrared_forehead"


def test_an_instrument_at_the_laboratory_says_so(world):
    id_ = world.instrument(world.station, "2026-09-01")
    with ctx_of(world) as ctx:
        order = received(ctx, an_order_of(ctx, CATALOGUE, world.station, id_))
        assert card(ctx, id_, catalogue=CATALOGUE).is_at_lab
        orders.give_back(ctx, order.id, orders.get_order(ctx, order.id).version)
        assert not card(ctx, id_, catalogue=CATALOGUE).is_at_lab


def test_a_replaced_certificate_gives_way_and_a_withdrawn_one_warns(world):
    id_ = world.instrument(world.station, "2026-09-01")
    with ctx_of(world) as ctx:
        first = certified(world, ctx, CATALOGUE, id_, "HZ-1", verdict="fail")
        second = certified(world, ctx, CATALOGUE, id_, "HZ-2", replaces_id=first)
        an_event(ctx, first, "superseded", ctx.now, second)
        assert card(ctx, id_, catalogue=CATALOGUE).judgement.code == "passed"
        an_event(ctx, second, "withdrawn", ctx.now)
        assert card(ctx, id_, catalogue=CATALOGUE).judgement.code == "withdrawn"


def test_the_board_costs_the_same_few_statements_for_one_and_for_many(world):
    costs = []
    for _round in range(2):
        for n in range(3):
            id_ = world.instrument(world.station, "2026-09-01")
            with ctx_of(world) as ctx:
                certified(world, ctx, CATALOGUE, id_, f"HZ-{world.count}-{n}")
        with ctx_of(world) as ctx, counted(world) as seen:
            board(ctx, catalogue=CATALOGUE)
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 4


def test_the_history_tells_all_newest_first(world):
    id_ = world.instrument(world.station, "2026-09-01")
    world.now += timedelta(hours=1)
    with ctx_of(world) as ctx:
        order = received(ctx, an_order_of(ctx, CATALOGUE, world.station, id_))
    world.now += timedelta(hours=1)
    with ctx_of(world) as ctx:
        record = a_record(ctx, order.lines[0], "closed", closing_reason="no way in")
        world.now += timedelta(hours=1)
        later = dataclasses.replace(ctx, now=world.now)
        a_certificate(later, record, "HZ-1", "issued", "withdrawn")
    with ctx_of(world) as ctx:
        history = lookup.instrument_history(ctx, id_)
    assert [entry.message for entry in history.entries] == [
        "Certificate {number} withdrawn: {reason}",
        "Certificate {number} issued",
        "Number {number} reserved",
        "Record {id} opened: closed without a certificate ({reason})",
        "Requested (order {number})",
        "Received (order {number}), condition: {condition}",
        "Put in service",
    ]
    assert history.entries[0].facts["number"] == "HZ-1"
    assert history.entries[3].facts["reason"] == "no way in"
    assert history.entries[-1].person == "Meng"
    assert history.instrument.id == id_


def test_a_customer_sees_the_own_history_without_the_work_behind_it(world):
    id_ = world.instrument(world.station, "2026-09-01")
    with ctx_of(world) as ctx:
        certified(world, ctx, CATALOGUE, id_, "HZ-1")
        certified(world, ctx, CATALOGUE, id_, "HZ-2", events=())
    with ctx_of(world, customer_id=world.station) as ctx:
        messages = [entry.message for entry in lookup.instrument_history(ctx, id_).entries]
    assert "Certificate {number} issued" in messages
    assert not [m for m in messages if "Record" in m or "reserved" in m]
    with ctx_of(world, customer_id=world.school) as ctx, pytest.raises(NotFound):
        lookup.instrument_history(ctx, id_)


def test_the_board_of_another_lab_is_empty(world):
    world.instrument(world.station, date(2026, 9, 1))
    with lab_session(world.engine, world.lab_id + 1) as session:
        assert board(world.context(session), catalogue=CATALOGUE).sites == ()
