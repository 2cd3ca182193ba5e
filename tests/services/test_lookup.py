"""Today's work by station and certificates as people find them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from calib.adapters.mail import SMTPMailer
from calib.i18n import translate
from calib.services import board, lookup, notices, outbox
from calib.services.dashboard import STATION_WORDS
from calib.services.history import EVENT_WORDS, RECORD_WORDS, STATUS_WORDS, WITHDRAWN_WORDS
from instruments.catalogue.loader import load_catalogue
from instruments.errors import Invalid, NotAllowed, NotFound
from instruments.records.orders import Order
from instruments.services import customers, orders, standards, transfers
from instruments.tenancy import lab_session
from tests.support import builders
from tests.support.certified import (
    a_certificate,
    a_record,
    an_event,
    an_order_of,
    certified,
    received,
)
from tests.support.documents import forehead_certificate
from tests.support.due_world import counted, ctx_of
from tests.support.mail_server import free_port

CATALOGUE = load_catalogue()


def instruments(world, count):
    return [world.instrument(world.station, "2026-09-01") for _ in range(count)]


def counts(ctx):
    return {queue.station: queue.count for queue in lookup.dashboard(ctx).queues if queue.count}


def test_every_item_waits_at_exactly_one_station(world):
    with ctx_of(world) as ctx:
        assert counts(ctx) == {}
    a, b = instruments(world, 2)
    with ctx_of(world) as ctx:
        order = an_order_of(ctx, CATALOGUE, world.station, a, b)
        assert counts(ctx) == {"requested": 1}
        order = orders.accept(ctx, order.id, order.version)
        assert counts(ctx) == {"to_receive": 2}
        orders.receive(ctx, order.id, order.lines[0].id, "undamaged")
        assert counts(ctx) == {"to_receive": 1, "to_measure": 1}
        record = a_record(ctx, order.lines[0])
        for state, station in (
            ("draft", "drafts"),
            ("submitted", "to_review"),
            ("reviewed", "to_authorise"),
            ("authorised", "to_issue"),
            ("reserved", "reserved"),
        ):
            record.state = state
            ctx.session.flush()
            assert counts(ctx) == {"to_receive": 1, station: 1}
        for done in ("issued", "closed"):
            record.state = done
            ctx.session.flush()
            assert counts(ctx) == {"to_receive": 1}


def test_a_queue_shows_the_first_ten_green_channel_before_all_and_counts_the_rest(world):
    ids = instruments(world, 13)
    with ctx_of(world) as ctx:
        for id_ in ids[:-1]:
            an_order_of(ctx, CATALOGUE, world.station, id_)
        urgent = an_order_of(ctx, CATALOGUE, world.station, ids[-1], green_channel=True)
        queue = lookup.dashboard(ctx).queue("requested")
    assert (queue.count, len(queue.rows)) == (13, 10)
    assert queue.rows[0].order_number == urgent.number
    assert queue.rows[0].is_green_channel
    assert queue.rows[0].customer.text("en") == "East Station"


def test_a_row_says_what_waits_and_since_when(world):
    (id_,) = instruments(world, 1)
    with ctx_of(world) as ctx:
        order = an_order_of(ctx, CATALOGUE, world.station, id_)
    world.now += timedelta(hours=3)
    with ctx_of(world) as ctx:
        order = received(ctx, order)
        row = lookup.dashboard(ctx).queue("to_measure").rows[0]
    assert (row.kind, row.id, row.order_number) == ("line", order.lines[0].id, order.number)
    assert row.item == "Braun BST200 SN-0001"
    assert row.since == world.now


def test_overdue_standards_alarms_and_failed_mails_are_on_the_page(world):
    late = world.instrument(world.station, "2026-03-01")
    world.instrument(world.station, "2026-03-02")
    world.instrument(world.station, "2026-01-01", status="scrapped")
    notices.make_notices(world.engine, world.clock)
    mailer = SMTPMailer(host="127.0.0.1", port=free_port(), sender="a@b.example", timeout=5)
    outbox.send_waiting(world.engine, mailer, world.clock)
    with ctx_of(world) as ctx:
        page = lookup.dashboard(ctx)
        assert [item.instrument_id for item in page.overdue] == [late]
        assert page.overdue_count == 1
        assert page.alarms == ()
        assert {mail.problem.code for mail in page.failed_mails} == {"mail-server-unavailable"}
    world.now += timedelta(days=2)
    with ctx_of(world) as ctx:
        codes = [alarm.code for alarm in lookup.dashboard(ctx).alarms]
    assert codes == ["schedule-silent", "mail-stuck"]


def test_standards_that_end_soon_have_ended_or_were_never_certified_are_listed(world):
    with ctx_of(world) as ctx:
        for code, until in (
            ("S-1", date(2026, 3, 1)),
            ("S-2", date(2026, 5, 1)),
            ("S-3", date(2026, 5, 2)),
            ("S-4", None),
        ):
            entry = builders.a_certificate(valid_until=until, calibrated_on=date(2025, 1, 1))
            builders.a_standard(ctx, entry, code=code)
        standards.register_standard(
            ctx, code="S-5", name_en="New", serial="x", quantity="temperature", unit="degC"
        )
        listed = lookup.dashboard(ctx).standards
    assert [(s.code, s.is_expired) for s in listed] == [
        ("S-1", True),
        ("S-2", False),
        ("S-5", True),
    ]


def test_a_new_edition_takes_the_place_of_the_one_it_corrects(world):
    with ctx_of(world) as ctx:
        entry = builders.a_certificate(valid_until=date(2027, 1, 1))
        standard = builders.a_standard(ctx, entry, code="S-1")
        assert lookup.dashboard(ctx).standards == ()
        standards.enter_certificate(
            ctx,
            standard.id,
            builders.a_certificate(number=entry.number, valid_until=date(2026, 3, 1)),
            replaces_id=standard.certificates[0].id,
            reason="the date was misread",
        )
        assert [s.code for s in lookup.dashboard(ctx).standards] == ["S-1"]


def test_the_page_of_work_is_for_the_labs_people(world):
    with ctx_of(world, customer_id=world.station) as ctx, pytest.raises(NotAllowed):
        lookup.dashboard(ctx)


def test_the_page_of_work_costs_the_same_few_statements(world):
    def cost():
        with ctx_of(world) as ctx, counted(world) as seen:
            lookup.dashboard(ctx)
        return len(seen)

    empty = cost()
    for id_ in instruments(world, 4):
        with ctx_of(world) as ctx:
            order = received(ctx, an_order_of(ctx, CATALOGUE, world.station, id_))
            if id_ % 2:
                a_record(ctx, order.lines[0])
    assert cost() == empty <= 16


def test_certificates_are_found_by_number_serial_state_and_instrument(world):
    a, b = instruments(world, 2)
    with ctx_of(world) as ctx:
        first = certified(world, ctx, CATALOGUE, a, "HZ-1")
        second = certified(world, ctx, CATALOGUE, a, "HZ-2", replaces_id=first)
        an_event(ctx, first, "superseded", ctx.now, second)
        third = certified(world, ctx, CATALOGUE, b, "HZ-3", events=())

        def ids(*arguments, **more):
            return [view.id for view in lookup.certificates(ctx, *arguments, **more)]

        assert ids() == [third, second, first]
        assert ids("hz-2") == [second]
        assert ids("SN-0002") == [third]
        assert ids("%") == []
        assert ids(instrument_id=a) == [second, first]
        assert ids(state="issued") == [second]
        assert ids(state="superseded") == [first]
        assert ids(state="reserved") == [third]
        assert ids(state="void") == []
        assert ids(limit=1) == [third]
        assert ids(before=third, limit=1) == [second]
        view = lookup.certificate(ctx, second)
        assert (view.state, view.replaces, view.replaces_id) == ("issued", "HZ-1", first)
        assert ids(calibration_id=view.calibration_id) == [second]
        assert lookup.certificate(ctx, first).events[-1].successor == "HZ-2"
        assert lookup.certificate(ctx, first).events[0].person == "Meng"
        assert lookup.certificate_file(ctx, second, "pdf").name == "HZ-2.pdf"
        with pytest.raises(NotFound):
            lookup.certificate_file(ctx, third, "pdf")


@pytest.mark.parametrize("role", ["customer", "venue_operator"])
def test_neither_staff_nor_inner_reasons_are_told_outside(world, role):
    (a,) = instruments(world, 1)
    with ctx_of(world) as ctx:
        given = {"fee": "80.00", "fee_waiver": "agreed by phone"}
        events = ("issued", "withdrawn")
        number = certified(world, ctx, CATALOGUE, a, "HZ-1", events=events)
        order = an_order_of(ctx, CATALOGUE, world.station, a, **given)
        order = orders.accept(ctx, order.id, order.version)
        orders.receive(ctx, order.id, order.lines[0].id, "undamaged")
        inner = lookup.certificate(ctx, number).events[-1]
        assert (inner.reason, inner.person) == ("typing error", "Meng")
        assert orders.get_order(ctx, order.id).lines[0].received_by is not None
    with ctx_of(world, role=role, customer_id=world.station) as ctx:
        told = lookup.certificate(ctx, number).events
        assert [event.event for event in told] == ["issued", "withdrawn"]
        assert {(e.person, e.second_person, e.reason) for e in told} == {("", "", "")}
        history = lookup.instrument_history(ctx, a)
        assert {entry.person for entry in history.entries} == {""}
        assert "typing error" not in repr(history)
        seen = orders.get_order(ctx, order.id)
        assert seen.lines[0].received_by is None
        paid = (seen.fee, seen.fee_waiver)
        assert paid == (("80.00", "agreed by phone") if role == "customer" else (None, ""))
        assert orders.list_orders(ctx)[0] == seen


@pytest.mark.parametrize(
    ("roles", "is_told"), [(("technician",), True), (("reviewer",), False), (("customer",), True)]
)
def test_the_way_into_the_calendar_is_for_the_customer_and_who_hands_it_out(world, roles, is_told):
    owner = world.station if roles == ("customer",) else None
    with ctx_of(world, role="customer", customer_id=owner) as ctx:
        asker = replace(ctx, actor=replace(ctx.actor, roles=frozenset(roles)))
        assert bool(customers.get_customer(asker, world.station).calendar_token) is is_told
        assert bool(customers.list_customers(asker)[0].calendar_token) is is_told


def test_a_customer_sees_the_own_issued_certificates(world):
    (a,) = instruments(world, 1)
    with ctx_of(world) as ctx:
        issued = certified(world, ctx, CATALOGUE, a, "HZ-1", document=forehead_certificate())
        reserved = certified(world, ctx, CATALOGUE, a, "HZ-2", events=())
    with ctx_of(world, customer_id=world.station) as ctx:
        assert [view.id for view in lookup.certificates(ctx)] == [issued]
        assert lookup.certificate_document(ctx, issued).number == "HZ-1"
        for ask in (lookup.certificate, lookup.certificate_document):
            with pytest.raises(NotFound):
                ask(ctx, reserved)
    with ctx_of(world, customer_id=world.school) as ctx:
        assert lookup.certificates(ctx) == ()
        with pytest.raises(NotFound):
            lookup.certificate(ctx, issued)
    with lab_session(world.engine, world.lab_id + 1) as session, pytest.raises(NotFound):
        lookup.certificate(world.context(session), issued)


def test_every_station_and_every_line_of_a_history_has_chinese_words():
    words = [
        *STATION_WORDS.values(),
        *STATUS_WORDS.values(),
        *RECORD_WORDS.values(),
        *EVENT_WORDS.values(),
        WITHDRAWN_WORDS,
        "Requested (order {number})",
        "Received (order {number}), condition: {condition}",
        "Returned (order {number})",
    ]
    assert [word for word in words if translate(word, "zh") == word] == []


def test_a_certificate_of_a_second_try_on_one_line_keeps_its_own_record(world):
    (a,) = instruments(world, 1)
    with ctx_of(world) as ctx:
        order = received(ctx, an_order_of(ctx, CATALOGUE, world.station, a))
        records = [a_record(ctx, order.lines[0], "issued") for _ in range(2)]
        ids = [a_certificate(ctx, r, f"HZ-{r.id}", "issued") for r in records]
        found = {v.id: v.calibration_id for v in lookup.certificates(ctx)}
    assert [found[id_] for id_ in ids] == sorted(found.values())


@pytest.mark.parametrize("hands_over", [False, True])
def test_certificates_stay_with_whom_they_name_unless_handed_over(world, hands_over):
    (a,) = instruments(world, 1)
    with ctx_of(world) as ctx:
        issued = certified(world, ctx, CATALOGUE, a, "HZ-1", document=forehead_certificate())
        for order in ctx.session.scalars(select(Order)):
            order.state = "returned"
        item = lookup.instrument_history(ctx, a).instrument
        transfers.transfer_instrument(
            ctx, a, item.version, to_customer_id=world.school, reason="sold",
            consent="both", hands_over=hands_over,
        )  # fmt: skip
    with ctx_of(world, customer_id=world.station) as ctx:
        assert [one.number for one in lookup.certificates(ctx)] == ["HZ-1"]
        assert lookup.certificate(ctx, issued).customer.en == "East Station"
        with pytest.raises(NotFound):
            lookup.instrument_history(ctx, a)
    with ctx_of(world, customer_id=world.school) as ctx:
        assert bool(lookup.certificates(ctx)) == hands_over
        told = lookup.instrument_history(ctx, a).entries
        assert ("certificate" in {entry.kind for entry in told}) == hands_over
        card = board.card(ctx, a, catalogue=CATALOGUE)
        assert bool(card.certificate_number) == bool(card.certificate_token) == hands_over
    with ctx_of(world) as ctx:
        assert lookup.certificate(ctx, issued).number == "HZ-1"


def test_many_chosen_certificates_cost_as_much_as_one(world, monkeypatch):
    def cost(ids):
        with ctx_of(world) as ctx, counted(world) as seen:
            found = [view.id for view in lookup.chosen_certificates(ctx, ids)]
        return found, len(seen)

    ids = []
    for n, item in enumerate(instruments(world, 3)):
        with ctx_of(world) as ctx:
            ids.append(certified(world, ctx, CATALOGUE, item, f"HZ-{n}"))
    wanted = [ids[2], ids[0], ids[1], ids[2]]
    found, statements = cost(wanted)
    assert found == wanted[:3]
    assert statements == cost(wanted[:1])[1]
    with ctx_of(world) as ctx, pytest.raises(NotFound):
        lookup.chosen_certificates(ctx, [*ids, 9999])
    monkeypatch.setattr(lookup, "MOST", 2)
    with ctx_of(world) as ctx, pytest.raises(Invalid) as caught:
        lookup.chosen_certificates(ctx, ids)
    assert caught.value.code == "list-too-long"
