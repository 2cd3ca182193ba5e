"""An instrument changes hands: told, agreed, and what went before stays behind."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from instruments.errors import Conflict, Invalid, NotAllowed, NotFound
from instruments.records.audit import AuditEvent
from instruments.services import instruments, orders, transfers
from tests.support.builders import (
    a_customer,
    a_request,
    a_site,
    an_instrument,
    context_for,
    the_catalogue,
)


@pytest.fixture
def passed(place):
    """Return an instrument of one customer, and another customer."""
    with context_for(place) as ctx:
        item = an_instrument(ctx, the_catalogue())
        instruments.set_status(ctx, item.id, "limited", "the first owner's affair")
        return item.id, item.customer_id, a_customer(ctx, name_en="New owner").id


def give(ctx, item_id, to, **more):
    version = instruments.get_instrument(ctx, item_id).version
    said = {"reason": "sold", "consent": "both by mail of 1 March"}
    return transfers.transfer_instrument(ctx, item_id, version, to_customer_id=to, **(said | more))


def as_owner(place, customer_id):
    return context_for(place, "customer", customer_id=customer_id)


@pytest.mark.parametrize("hands_over", [False, True])
def test_the_new_owner_sees_it_from_then_on_and_the_old_one_no_more(place, passed, hands_over):
    item, old, new = passed
    with context_for(place) as ctx:
        moved = give(ctx, item, new, hands_over=hands_over)
        assert moved.customer_id == new
        event = ctx.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert event.act == "registry:instrument:transfer"
        assert event.facts["customer_id"] == [old, new]
        assert event.facts["reason"] == "sold"
    with as_owner(place, old) as ctx, pytest.raises(NotFound):
        instruments.get_instrument(ctx, item)
    with as_owner(place, new) as ctx:
        assert instruments.get_instrument(ctx, item).id == item
        reasons = [row.reason for row in transfers.status_history(ctx, item)]
        assert ("the first owner's affair" in reasons) == hands_over
        (told,) = transfers.transfers_of(ctx, item)
        assert (told.hands_over, told.consent) == (hands_over, "both by mail of 1 March")


def test_nothing_changes_hands_by_the_way(place, passed):
    item, _, new = passed
    with context_for(place) as ctx:
        version = instruments.get_instrument(ctx, item).version
        with pytest.raises(Conflict) as caught:
            instruments.update_instrument(ctx, item, version, customer_id=new)
        assert caught.value.code == "transfer-needed"


def test_it_is_agreed_explained_and_not_to_come(place, passed):
    item, old, new = passed
    with context_for(place) as ctx:
        for more in ({"reason": " "}, {"consent": ""}, {"transferred_on": date(2030, 1, 1)}):
            with pytest.raises(Invalid):
                give(ctx, item, new, **more)
        with pytest.raises(Conflict):
            give(ctx, item, old)
        with pytest.raises(NotFound):
            give(ctx, item, 9999)
        with pytest.raises(Invalid):
            give(ctx, item, new, site_id=a_site(ctx, old).id)
    with context_for(place, "reviewer") as ctx, pytest.raises(NotAllowed):
        give(ctx, item, new)


def test_what_is_in_work_stays_until_it_is_given_back(place, passed):
    item, _, new = passed
    with context_for(place) as ctx:
        order = orders.request(ctx, a_request(ctx, item), catalogue=the_catalogue())
        with pytest.raises(Conflict) as caught:
            give(ctx, item, new)
        assert caught.value.facts["number"] == order.number
        orders.cancel(ctx, order.id, order.version, "not needed")
        assert give(ctx, item, new).customer_id == new


def test_orders_go_along_only_where_they_are_handed_over(place, passed):
    item, old, new = passed
    with context_for(place) as ctx:
        order = orders.request(ctx, a_request(ctx, item), catalogue=the_catalogue())
        orders.cancel(ctx, order.id, order.version, "not needed")
        give(ctx, item, new, hands_over=True)
        third = a_customer(ctx, name_en="Third").id
        handed = ctx.session.scalars(transfers.handed_over_to(new)).all()
        assert handed == [order.lines[0].id]
        give(ctx, item, third, hands_over=True)
        assert ctx.session.scalars(transfers.handed_over_to(third)).all() == []
        assert ctx.session.scalars(transfers.handed_over_to(new)).all() == []
    with as_owner(place, old) as ctx:
        assert [one.id for one in orders.list_orders(ctx)] == [order.id]
