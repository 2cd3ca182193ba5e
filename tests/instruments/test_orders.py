"""Orders from request to return: what is agreed, who may do what, which states follow."""

from __future__ import annotations

import typing

import pytest
from sqlalchemy import event

from calib.evaluation.inputs import RuleId
from instruments.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from instruments.services import instruments, order_request, orders
from instruments.services.orders import LineRequest
from tests.support.builders import (
    a_customer,
    a_model,
    a_request,
    an_instrument,
    an_order,
    context_for,
)

GLASS = "thermometer.glass_clinical"


def test_rules_are_those_the_evaluation_knows():
    assert typing.get_args(RuleId) == order_request.DECISION_RULES


def test_request_is_numbered_and_holds_what_was_asked(place):
    with context_for(place) as ctx:
        item = an_instrument(ctx, place.catalogue)
        line = LineRequest(item.id, points={"temperature": ("35.0", "37.00", "41.0")})
        asked = a_request(
            ctx, item.id, lines=(line,), print_due=True, interval_months=12, fee="120.00"
        )
        view = orders.request(ctx, asked, catalogue=place.catalogue)
        assert (view.number, view.state, view.fee) == ("HZ-WT-2026-00001", "requested", "120.00")
        assert view.requested_on == ctx.today
        assert view.lines[0].points == {"temperature": ("35.0", "37.00", "41.0")}
        assert view.lines[0].instrument == item
        assert orders.list_orders(ctx, "requested") == (view,)
        assert orders.list_orders(ctx, "done") == ()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"decision_rule": ""}, "decision-rule-missing"),
        ({"decision_rule": "lenient"}, "field-unknown-choice"),
        ({"decision_rule": "regulation"}, "decision-rule-not-of-kind"),
        ({"kind": "verification", "decision_rule": "simple"}, "decision-rule-not-of-kind"),
        ({"kind": "verification", "decision_rule": "regulation"}, "kind-not-allowed"),
        ({"kind": "repair"}, "field-unknown-choice"),
        ({"decision_parameter": "1"}, "decision-parameter-unused"),
        ({"decision_rule": "guard_rU"}, "decision-parameter-out-of-range"),
        ({"decision_rule": "guard_rU", "decision_parameter": "4"}, None),
        ({"decision_rule": "probability", "decision_parameter": "1"}, None),
        ({"decision_rule": "probability", "decision_parameter": "0,95"}, None),
        ({"print_due": True}, "due-date-not-agreed"),
        ({"interval_months": 0}, "field-out-of-range"),
        ({"language": "de"}, "field-unknown-choice"),
        ({"fee": "-1"}, "fee-negative"),
        ({"lines": ()}, "order-empty"),
    ],
)
def test_unusable_request_is_refused(place, given, code):
    with context_for(place) as ctx:
        item = an_instrument(ctx, place.catalogue)
        with pytest.raises((Invalid, Refused)) as caught:
            orders.request(ctx, a_request(ctx, item.id, **given), catalogue=place.catalogue)
    assert code is None or caught.value.code == code


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ({"verification_kind": "initial"}, "verification-kind-unused"),
        ({"points": {"temperature": ("35.0", "37.0")}}, "points-too-few"),
        ({"points": {"temperature": ("35.0", "37.0", "50.0")}}, "point-outside-range"),
        ({"points": {"temperature": ("35.0", "37.0", "1e400")}}, None),
        ({"points": {"humidity": ("50",)}}, "type-lacks-name"),
        ({"points": {"temperature": "37.0"}}, "list-expected"),
        ({"predict": {"temperature": ("30",)}}, "measurand-without-curve"),
        ({"customer_limits": {"temperature": [{"upper": "1"}]}}, "limit-malformed"),
    ],
)
def test_unusable_line_is_refused(place, line, code):
    with context_for(place) as ctx:
        item = an_instrument(ctx, place.catalogue)
        asked = a_request(ctx, item.id, lines=(LineRequest(item.id, **line),))
        with pytest.raises((Invalid, Refused)) as caught:
            orders.request(ctx, asked, catalogue=place.catalogue)
    assert code is None or caught.value.code == code
    assert caught.value.at.startswith("/lines/0")


def test_instrument_is_ordered_once_by_its_owner_and_not_when_gone(place):
    with context_for(place) as ctx:
        item = an_instrument(ctx, place.catalogue)
        twice = a_request(ctx, item.id, item.id)
        with pytest.raises(Invalid, match=item.barcode):
            orders.request(ctx, twice, catalogue=place.catalogue)
        stranger = a_request(ctx, item.id, customer_id=a_customer(ctx).id)
        with pytest.raises(Refused) as caught:
            orders.request(ctx, stranger, catalogue=place.catalogue)
        assert caught.value.code == "instrument-of-another-customer"
        unknown = a_request(ctx, item.id, lines=(LineRequest(99),))
        with pytest.raises(NotFound) as missing:
            orders.request(ctx, unknown, catalogue=place.catalogue)
        assert missing.value.at == "/lines/0/instrument_id"
        instruments.set_status(ctx, item.id, "scrapped", "glass broken")
        with pytest.raises(Refused) as caught:
            orders.request(ctx, a_request(ctx, item.id), catalogue=place.catalogue)
        assert caught.value.code == "instrument-gone"


def glass(ctx, place, **more):
    kind = next(t for t in place.catalogue.list() if t.batch)
    model = a_model(
        ctx,
        place.catalogue,
        type_id=kind.id,
        resolution={m.id: "0.1" for m in kind.measurands},
        attributes={n: next(iter(o)) for n, o in kind.variants.items()},
    )
    return an_instrument(ctx, place.catalogue, model_id=model.id, **more), kind


def test_verification_names_its_kind(place):
    with context_for(place) as ctx:
        item, kind = glass(ctx, place, pieces=20)
        line = LineRequest(item.id)
        with pytest.raises(Invalid) as caught:
            verification(ctx, place, line)
        assert caught.value.at == "/lines/0/verification_kind"
        assert verification(ctx, place, LineRequest(item.id, kind.verification_kinds[0])).lines


def verification(ctx, place, line):
    asked = a_request(
        ctx, line.instrument_id, kind="verification", decision_rule="regulation", lines=(line,)
    )
    return orders.request(ctx, asked, catalogue=place.catalogue)


def test_lot_is_received_with_the_pieces_that_came(place):
    with context_for(place) as ctx:
        item, kind = glass(ctx, place, pieces=20)
        order = verification(ctx, place, LineRequest(item.id, kind.verification_kinds[0]))
        order = orders.accept(ctx, order.id, order.version)
        order = orders.receive(ctx, order.id, order.lines[0].id, "one broken", pieces=19)
        assert order.lines[0].instrument.pieces == 19


def test_pieces_of_a_single_instrument_are_refused(place):
    with context_for(place) as ctx:
        item = an_instrument(ctx, place.catalogue, pieces=2)
        with pytest.raises(Refused) as caught:
            orders.request(ctx, a_request(ctx, item.id), catalogue=place.catalogue)
        assert caught.value.code == "type-without-lots"
        single = an_instrument(ctx, place.catalogue)
        order = orders.request(ctx, a_request(ctx, single.id), catalogue=place.catalogue)
        orders.accept(ctx, order.id, order.version)
        with pytest.raises(Refused) as caught:
            orders.receive(ctx, order.id, order.lines[0].id, "good", pieces=5)
        assert caught.value.code == "instrument-is-single"


def test_receipt_needs_an_accepted_order_and_a_condition_and_happens_once(place):
    with context_for(place) as ctx:
        item = an_instrument(ctx, place.catalogue)
        order = orders.request(ctx, a_request(ctx, item.id), catalogue=place.catalogue)
        line = order.lines[0].id
        with pytest.raises(Conflict) as caught:
            orders.receive(ctx, order.id, line, "good")
        assert caught.value.code == "order-state"
        orders.accept(ctx, order.id, order.version)
        with pytest.raises(Invalid):
            orders.receive(ctx, order.id, line, "  ")
        received = orders.receive(ctx, order.id, line, "good").lines[0]
        assert (received.condition, received.received_at) == ("good", ctx.now)
        with pytest.raises(Conflict) as caught:
            orders.receive(ctx, order.id, line, "good")
        assert caught.value.code == "received-before"
        other = an_order(ctx, place.catalogue)
        with pytest.raises(NotFound):
            orders.receive(ctx, order.id, other.lines[0].id, "good")


def test_states_follow_their_table(place):
    with context_for(place) as ctx:
        order = an_order(ctx, place.catalogue)
        with pytest.raises(Conflict):
            orders.accept(ctx, order.id, order.version)
        with pytest.raises(Refused) as caught:
            orders.cancel(ctx, order.id, order.version, "not wanted")
        assert caught.value.code == "instrument-still-here"
        done = orders.finish(ctx, order.id, order.version)
        with pytest.raises(Conflict):
            orders.finish(ctx, order.id, order.version)
        back = orders.give_back(ctx, order.id, done.version)
        assert (back.state, back.lines[0].returned_at) == ("returned", ctx.now)
        with pytest.raises(Conflict):
            orders.give_back(ctx, order.id, back.version)


def test_partly_returned_order_stays_open(place):
    with context_for(place) as ctx:
        customer = a_customer(ctx).id
        ids = [an_instrument(ctx, place.catalogue, customer_id=customer).id for _ in range(2)]
        order = an_order(ctx, place.catalogue, *ids)
        part = orders.give_back(ctx, order.id, order.version, [order.lines[0].id])
        assert part.state == "accepted"
        whole = orders.give_back(ctx, order.id, part.version)
        assert whole.state == "returned"


def test_changed_order_is_not_accepted_unseen(place):
    with context_for(place) as ctx:
        item = an_instrument(ctx, place.catalogue)
        order = orders.request(ctx, a_request(ctx, item.id), catalogue=place.catalogue)
        orders.accept(ctx, order.id, order.version)
        with pytest.raises(Conflict) as caught:
            orders.cancel(ctx, order.id, order.version, "too late")
        assert caught.value.code == "changed-meanwhile"


def test_operator_orders_for_their_own_and_cancels_only_requests(place):
    with context_for(place) as ctx:
        item = an_instrument(ctx, place.catalogue)
        foreign = an_order(ctx, place.catalogue)
    with context_for(place, "venue_operator", customer_id=item.customer_id) as ctx:
        order = orders.request(ctx, a_request(ctx, item.id), catalogue=place.catalogue)
        assert orders.list_orders(ctx) == (order,)
        with pytest.raises(NotFound):
            orders.get_order(ctx, foreign.id)
        with pytest.raises(NotFound):
            orders.cancel(ctx, foreign.id, foreign.version, "spite")
        with pytest.raises(NotAllowed):
            orders.accept(ctx, order.id, order.version)
        foreign_item = foreign.lines[0].instrument.id
        asked = a_request(ctx, item.id, lines=(LineRequest(foreign_item),))
        with pytest.raises(NotFound):
            orders.request(ctx, asked, catalogue=place.catalogue)
        with pytest.raises(NotFound):
            orders.request(
                ctx,
                a_request(ctx, item.id, customer_id=foreign.customer_id),
                catalogue=place.catalogue,
            )
        assert orders.cancel(ctx, order.id, order.version, "not wanted").state == "cancelled"


def test_green_channel_comes_first(place):
    with context_for(place) as ctx:
        first = an_instrument(ctx, place.catalogue)
        urgent = orders.request(
            ctx, a_request(ctx, first.id, green_channel=True), catalogue=place.catalogue
        )
        later = an_instrument(ctx, place.catalogue)
        usual = orders.request(ctx, a_request(ctx, later.id), catalogue=place.catalogue)
        assert [o.id for o in orders.list_orders(ctx)] == [urgent.id, usual.id]


def test_a_list_of_orders_costs_the_same_however_long_it_is(place):
    def cost():
        asked = []

        def count(_connection, _cursor, _statement, parameters, *_rest):
            asked.append(len(parameters))

        with context_for(place) as ctx:
            event.listen(place.engine, "before_cursor_execute", count)
            found = orders.list_orders(ctx)
            event.remove(place.engine, "before_cursor_execute", count)
        return len(found), asked

    with context_for(place) as ctx:
        first = an_order(ctx, place.catalogue)
    one, asked = cost()
    with context_for(place) as ctx:
        others = [an_order(ctx, place.catalogue) for _ in range(4)]
    assert (one, cost()) == (1, (5, asked))
    with context_for(place) as ctx:
        assert orders.list_orders(ctx, customer_id=first.customer_id) == (first,)
        assert orders.list_orders(ctx, limit=2) == (others[3], others[2])


def test_a_list_that_is_too_long_is_refused_before_it_is_looked_up(place, monkeypatch):
    monkeypatch.setattr(order_request, "MAX_LINES", 2)
    monkeypatch.setattr(order_request, "MAX_POINTS", 3)
    with context_for(place) as ctx:
        item = an_instrument(ctx, place.catalogue)
        many = {"temperature": ("35.0", "37.0", "38.0", "41.0")}
        for lines in (
            (LineRequest(1), LineRequest(2), LineRequest(3)),
            (LineRequest(item.id, points=many),),
        ):
            asked = a_request(ctx, item.id, lines=lines)
            with pytest.raises(Invalid) as caught:
                orders.request(ctx, asked, catalogue=place.catalogue)
            assert caught.value.code == "list-too-long"
