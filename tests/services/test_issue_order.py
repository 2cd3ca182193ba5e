"""What issuing tells the order and what the head of a certificate claims of the lab."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import select

from calib.certificates.document import CertificateDocument
from calib.records.certificates import Certificate
from instruments.errors import Invalid
from instruments.records.orders import Order
from instruments.services import customers, labs, orders, scope
from instruments.tenancy import installation_session
from tests.support import issuing


@pytest.fixture
def bench(bench_on_sqlite):
    with bench_on_sqlite.as_(issuing.everybody(bench_on_sqlite)) as ctx:
        labs.update_lab(ctx, accreditation="CNAS L0000", authorisation="(2024) 00001")
    return bench_on_sqlite


def _in_scope(bench, low: str, high: str) -> None:
    entry = scope.ScopeEntry(
        type_id=issuing.PROBE,
        measurand="temperature",
        document="JJF 1171-2007",
        low=low,
        high=high,
        U="0.001",
        starts_on=date(2026, 1, 1),
    )
    with bench.as_(issuing.everybody(bench)) as ctx:
        scope.add_row(ctx, entry, catalogue=bench.catalogue)


def _said(bench, store, **more) -> CertificateDocument:
    made = issuing.issued(bench, store, issuing.authorised(bench, **more))
    with installation_session(bench.engine) as session:
        kept = session.scalars(
            select(Certificate.payload).where(Certificate.id == made.certificate_id)
        ).one()
    return CertificateDocument.from_dict(json.loads(kept))


@pytest.mark.parametrize(
    ("ranges", "claimed"),
    [
        ([], ""),
        ([("0", "99")], ""),
        ([("0", "100")], "CNAS L0000"),
        ([("-10", "50"), ("50", "200")], "CNAS L0000"),
    ],
    ids=["no scope", "one point outside", "all inside", "inside two rows"],
)
def test_accreditation_is_claimed_only_where_the_scope_covers_every_result(
    bench, store, ranges, claimed
):
    for low, high in ranges:
        _in_scope(bench, low, high)
    lab = _said(bench, store).lab
    assert (lab.accreditation, lab.authorisation) == (claimed, "(2024) 00001")


def test_a_corrected_name_of_the_lab_stands_on_the_next_certificate(bench, store):
    with bench.as_(issuing.everybody(bench)) as ctx:
        labs.update_lab(ctx, name_en="Institute of Metrology", name_zh="计量院")
        with pytest.raises(Invalid) as caught:
            labs.update_lab(ctx, name_en="", name_zh=" ")
    assert caught.value.code == "name-missing"
    assert _said(bench, store).lab.name.zh == "计量院"


def test_a_customer_known_by_mail_alone_is_reached_by_it(bench, store):
    with bench.as_(issuing.everybody(bench)) as ctx:
        known = customers.get_customer(ctx, bench.customer_id)
        customers.update_customer(
            ctx, known.id, known.version, address="", contact="", phone="", email="a@example.org"
        )
    assert _said(bench, store).customer.contact == "a@example.org"


def test_an_order_is_done_with_its_last_certificate_and_not_before(bench, store):
    first, second = issuing.many_authorised(bench, 2)
    states = []
    for id_, _ in (first, second):
        issuing.issued(bench, store, id_)
        with bench.as_(bench.technician) as ctx:
            states.append(ctx.session.scalars(select(Order.state)).one())
    assert states == ["accepted", "done"]
    with bench.as_(bench.technician) as ctx:
        order = orders.list_orders(ctx)[0]
        assert orders.give_back(ctx, order.id, order.version).state == "returned"
