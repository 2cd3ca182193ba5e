"""Customers, sites, models and instruments as people keep them."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from instruments.errors import Conflict, Invalid, NotAllowed, NotFound
from instruments.services import customers, instruments, models, sites, transfers
from instruments.text import LocalizedText
from tests.support.builders import a_customer, a_lab, a_model, a_site, an_instrument, context_for


def test_customer_is_kept_changed_and_found(place):
    with context_for(place) as ctx:
        view = a_customer(ctx, email="Desk@Station.example", is_small_firm=True)
        assert view.email == "desk@station.example"
        assert view.name == LocalizedText("East Railway Station", "火车东站")
        changed = customers.update_customer(ctx, view.id, view.version, phone="1")
        assert (changed.phone, changed.name, changed.version) == ("1", view.name, 2)
        assert customers.list_customers(ctx) == (changed,)


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"name_en": "", "name_zh": " "}, "/name_zh"),
        ({"kind": "shop"}, "/kind"),
        ({"language": "de"}, "/language"),
        ({"email": "desk"}, "/email"),
        ({"contact": "Li\u202e"}, "/contact"),
    ],
)
def test_unusable_customer_is_refused_with_the_field(place, given, at):
    with context_for(place) as ctx, pytest.raises(Invalid) as caught:
        a_customer(ctx, **given)
    assert caught.value.at == at


def test_name_cannot_be_taken_away(place):
    with context_for(place) as ctx:
        view = a_customer(ctx)
        with pytest.raises(Invalid):
            customers.update_customer(ctx, view.id, view.version, name_en="", name_zh="")


def test_second_of_two_editors_is_told(place):
    with context_for(place) as ctx:
        seen = a_customer(ctx)
        customers.update_customer(ctx, seen.id, seen.version, phone="1")
        with pytest.raises(Conflict) as caught:
            customers.update_customer(ctx, seen.id, seen.version, phone="2")
        assert caught.value.code == "changed-meanwhile"
        assert customers.get_customer(ctx, seen.id).phone == "1"


def test_foreign_and_missing_look_alike(place):
    other = a_lab(place.engine, "SH")
    with context_for(place, lab_id=other) as ctx:
        foreign = a_customer(ctx).id
    with context_for(place) as ctx:
        for unknown in (foreign, 999):
            with pytest.raises(NotFound) as caught:
                customers.get_customer(ctx, unknown)
            assert str(caught.value) == (
                f"There is no customer {unknown} here. Look it up in the list."
            )


def test_operator_sees_their_own_customer_only(place):
    with context_for(place) as ctx:
        mine, theirs = a_customer(ctx), a_customer(ctx)
        a_site(ctx, mine.id)
        site = a_site(ctx, theirs.id)
        own = an_instrument(ctx, place.catalogue, customer_id=mine.id)
        foreign = an_instrument(ctx, place.catalogue, customer_id=theirs.id)
    with context_for(place, "venue_operator", customer_id=mine.id) as ctx:
        assert [c.id for c in customers.list_customers(ctx)] == [mine.id]
        assert [s.customer_id for s in sites.list_sites(ctx)] == [mine.id]
        assert [i.id for i in instruments.find_instruments(ctx)] == [own.id]
        for look in (
            lambda: customers.get_customer(ctx, theirs.id),
            lambda: sites.get_site(ctx, site.id),
            lambda: instruments.get_instrument(ctx, foreign.id),
            lambda: transfers.status_history(ctx, foreign.id),
        ):
            with pytest.raises(NotFound):
                look()
        assert instruments.get_instruments(ctx, [own.id, foreign.id]).keys() == {own.id}
        with pytest.raises(NotAllowed):
            a_customer(ctx)


def test_somebody_without_a_role_sees_nothing(place):
    with context_for(place) as ctx:
        an_instrument(ctx, place.catalogue)
    with context_for(place, "venue_operator") as ctx:
        assert customers.list_customers(ctx) == ()
        assert instruments.find_instruments(ctx) == ()


def test_site_belongs_to_a_known_customer(place):
    with context_for(place) as ctx:
        with pytest.raises(NotFound):
            a_site(ctx, 99)
        customer = a_customer(ctx)
        with pytest.raises(Invalid, match="railway_station"):
            a_site(ctx, customer.id, venue_type="moon")
        site = a_site(ctx, customer.id)
        changed = sites.update_site(ctx, site.id, 1, district="Jianggan")
        assert sites.list_sites(ctx, customer.id) == (changed,)


def test_model_is_checked_against_its_type(place):
    with context_for(place) as ctx:
        view = a_model(ctx, place.catalogue, calibration_mode=" ")
        assert view.calibration_mode is None
        limit = {"document": "maker", "confidence": "V", "lower": "-0.2", "upper": "0.20"}
        changed = models.update_model(
            ctx, view.id, 1, catalogue=place.catalogue, maker_limits={"temperature": [limit]}
        )
        assert changed.maker_limits["temperature"][0].upper == "0.20"
        assert models.list_models(ctx) == (changed,)


@pytest.mark.parametrize(
    ("given", "code", "at"),
    [
        ({"resolution": {}}, "resolution-missing", "/resolution/temperature"),
        (
            {"resolution": {"temperature": "0"}},
            "resolution-not-positive",
            "/resolution/temperature",
        ),
        ({"resolution": {"temperature": "0,1"}}, None, "/resolution/temperature"),
        ({"resolution": {"temperature": "0.1", "humidity": "1"}}, "type-lacks-name", None),
        ({"attributes": {"pump": "syringe"}}, "type-lacks-name", "/attributes/pump"),
        ({"use": "home"}, "field-unknown-choice", "/use"),
        ({"maker": " "}, "field-empty", "/maker"),
        ({"maker_limits": {"temperature": [{"upper": "1"}]}}, "limit-malformed", None),
        (
            {"maker_limits": {"temperature": [{"document": "m", "confidence": "V"}]}},
            "limit-empty",
            "/maker_limits/temperature/0",
        ),
        (
            {
                "maker_limits": {
                    "temperature": [
                        {"document": "m", "confidence": "V", "lower": "0.2", "upper": "-0.2"}
                    ]
                }
            },
            "limit-backwards",
            None,
        ),
        (
            {
                "maker_limits": {
                    "temperature": [{"document": "m", "confidence": "V", "upper": "NaN"}]
                }
            },
            None,
            "/maker_limits/temperature/0/upper",
        ),
    ],
)
def test_unusable_model_is_refused(place, given, code, at):
    with context_for(place) as ctx, pytest.raises(Invalid) as caught:
        a_model(ctx, place.catalogue, **given)
    assert code is None or caught.value.code == code
    assert at is None or caught.value.at == at


def test_model_of_unknown_type_and_model_twice_are_refused(place):
    with context_for(place) as ctx:
        with pytest.raises(NotFound, match="infrared_forehead"):
            a_model(ctx, place.catalogue, type_id="thermometer.infrared_forhead")
        a_model(ctx, place.catalogue, model="F-9")
        with pytest.raises(Conflict, match="F-9"):
            a_model(ctx, place.catalogue, model="F-9")


def test_variant_of_a_type_must_be_chosen(place):
    pump = place.catalogue.get("pump.infusion_syringe")
    given = {"type_id": pump.id, "resolution": {m.id: "0.1" for m in pump.measurands}}
    with context_for(place) as ctx:
        with pytest.raises(Invalid) as caught:
            a_model(ctx, place.catalogue, **given, attributes={})
        assert caught.value.at == "/attributes/pump"
        chosen = {"pump": "syringe"}
        assert a_model(ctx, place.catalogue, **given, attributes=chosen).attributes == chosen


def test_rated_value_of_a_type_must_be_given_as_a_number(place):
    type_ = next(
        t for t in place.catalogue.list() if any(not r.default for r in t.ratings.values())
    )
    name = next(n for n, r in type_.ratings.items() if not r.default)
    variants = {n: next(iter(o)) for n, o in type_.variants.items()}
    given = {"type_id": type_.id, "resolution": {m.id: "0.1" for m in type_.measurands}}
    with context_for(place) as ctx:
        for wrong, code in (({}, "rating-missing"), ({name: "ten"}, "decimal-malformed")):
            with pytest.raises(Invalid) as caught:
                a_model(ctx, place.catalogue, **given, attributes=variants | wrong)
            assert (caught.value.code, caught.value.at) == (code, f"/attributes/{name}")
        others = dict.fromkeys(type_.ratings, "10")
        made = a_model(ctx, place.catalogue, **given, attributes=variants | others)
        assert made.attributes[name] == "10"


def test_type_of_a_model_is_fixed(place):
    with context_for(place) as ctx:
        view = a_model(ctx, place.catalogue)
        with pytest.raises(Invalid) as caught:
            models.update_model(
                ctx, view.id, 1, catalogue=place.catalogue, type_id="thermometer.infrared_ear"
            )
        assert caught.value.code == "model-type-fixed"


def test_instrument_gets_the_next_barcode_and_is_in_service(place):
    with context_for(place) as ctx:
        view = an_instrument(ctx, place.catalogue, serial=" SN-1 ", asset_number="G1")
        assert (view.barcode, view.serial, view.status, view.pieces) == (
            "HZ0000001",
            "SN-1",
            "in_service",
            1,
        )
        assert instruments.get_instrument(ctx, view.id) == view


def test_serial_taken_names_the_instrument(place):
    with context_for(place) as ctx:
        view = an_instrument(ctx, place.catalogue, serial="SN-1")
        with pytest.raises(Conflict) as caught:
            an_instrument(ctx, place.catalogue, model_id=view.model_id, serial=" SN-1")
        assert view.barcode in str(caught.value)
        other_model = an_instrument(ctx, place.catalogue, serial="SN-1")
        second = an_instrument(ctx, place.catalogue, model_id=view.model_id, serial="SN-2")
        with pytest.raises(Conflict):
            instruments.update_instrument(ctx, second.id, second.version, serial="SN-1")
        assert other_model.serial == "SN-1"


def test_barcode_by_hand_is_kept_and_skipped_by_the_series(place):
    with context_for(place) as ctx:
        view = an_instrument(ctx, place.catalogue, barcode="HZ0000001")
        assert view.barcode == "HZ0000001"
        with pytest.raises(Conflict, match=view.serial):
            an_instrument(ctx, place.catalogue, barcode="HZ0000001")
        assert an_instrument(ctx, place.catalogue).barcode == "HZ0000002"


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"serial": "  "}, "/serial"),
        ({"serial": "SN\u200b1"}, "/serial"),
        ({"asset_number": "\uff27\uff11"}, "/asset_number"),
        ({"pieces": 0}, "/pieces"),
        ({"pieces": True}, "/pieces"),
        ({"interval_months": 121}, "/interval_months"),
    ],
)
def test_unusable_instrument_is_refused_with_the_field(place, given, at):
    with context_for(place) as ctx, pytest.raises(Invalid) as caught:
        an_instrument(ctx, place.catalogue, **given)
    assert caught.value.at == at


def test_site_of_another_customer_is_refused(place):
    with context_for(place) as ctx:
        view = an_instrument(ctx, place.catalogue)
        foreign = a_site(ctx, a_customer(ctx).id)
        with pytest.raises(Invalid) as caught:
            instruments.update_instrument(ctx, view.id, view.version, site_id=foreign.id)
        assert caught.value.code == "site-of-another-customer"


def test_status_is_a_history_with_reasons(place):
    with context_for(place) as ctx:
        view = an_instrument(ctx, place.catalogue)
        out = instruments.set_status(ctx, view.id, "out_of_service", "fell into the bath")
        assert (out.status, out.status_reason) == ("out_of_service", "fell into the bath")
        with pytest.raises(Conflict):
            instruments.set_status(ctx, view.id, "out_of_service", "again")
        with pytest.raises(Invalid):
            instruments.set_status(ctx, view.id, "in_service", " ")
        with pytest.raises(Invalid):
            instruments.set_status(ctx, view.id, "asleep", "tired")
        history = transfers.status_history(ctx, view.id)
    assert [s.status for s in history] == ["in_service", "out_of_service"]


def test_find_looks_in_every_mark_and_pages(place):
    with context_for(place) as ctx:
        model = a_model(ctx, place.catalogue, model="TH-50%_X").id
        first = an_instrument(ctx, place.catalogue, model_id=model, serial="ABC-1")
        second = an_instrument(ctx, place.catalogue, serial="DEF", asset_number="gate 3")
        find = instruments.find_instruments
        assert [i.id for i in find(ctx, "abc")] == [first.id]
        assert [i.id for i in find(ctx, "50%_x")] == [first.id]
        assert [i.id for i in find(ctx, "%")] == [first.id]
        assert [i.id for i in find(ctx, "GATE")] == [second.id]
        assert [i.id for i in find(ctx, limit=1)] == [first.id]
        assert [i.id for i in find(ctx, limit=1, after=first.id)] == [second.id]
        assert find(ctx, customer_id=first.customer_id)[0].id == first.id
        assert find(ctx, due_before=date(2030, 1, 1)) == ()


def test_lists_take_as_many_queries_for_many_as_for_one(place):
    seen = []
    with context_for(place) as ctx:
        an_instrument(ctx, place.catalogue)
    event.listen(place.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    counts = []
    for _ in range(2):
        with context_for(place) as ctx:
            for _ in range(3):
                an_instrument(ctx, place.catalogue)
        seen.clear()
        with context_for(place, read_only=True) as ctx:
            found = instruments.find_instruments(ctx)
            customers.list_customers(ctx)
            models.list_models(ctx)
        counts.append((len(found), len(seen)))
    assert counts[0][0] < counts[1][0]
    assert counts[0][1] == counts[1][1]
