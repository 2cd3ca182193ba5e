"""A lab reaches its own rows only: every way to a row is narrowed or refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, delete, event, exists, func, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from instruments.records.orders import Order, OrderLine
from instruments.records.parties import Customer, Lab
from instruments.records.sites import Site
from instruments.tenancy import LabSession, Unscoped, installation_session, lab_session
from tests.support.builders import Installation, a_customer, a_lab, a_site, context_for, told


@pytest.fixture
def other(place: Installation) -> int:
    """Return a second lab with a customer and a site of its own; ids 2 beside ids 1."""
    lab_id = a_lab(place.engine, "SH")
    for lab in (place.lab_id, lab_id):
        with context_for(place, lab_id=lab) as ctx:
            customer = a_customer(ctx, name_en=f"customer of lab {lab}")
            a_site(ctx, customer.id)
    return lab_id


@contextmanager
def own(place: Installation) -> Iterator[LabSession]:
    with lab_session(place.engine, place.lab_id) as session:
        yield session


def test_select_sees_own_rows_only(place, other):
    with own(place) as session:
        assert [c.lab_id for c in session.scalars(select(Customer))] == [place.lab_id]


def test_columns_are_narrowed(place, other):
    with own(place) as session:
        assert session.execute(select(Customer.name_en)).all() == [("customer of lab 1",)]


def test_alias_is_narrowed(place, other):
    alias = aliased(Customer)
    with own(place) as session:
        assert [c.lab_id for c in session.scalars(select(alias))] == [place.lab_id]


def test_join_is_narrowed(place, other):
    with own(place) as session:
        joined = select(Site.id, Customer.id).join(Customer, Customer.id == Site.customer_id)
        assert len(session.execute(joined).all()) == 1


def test_count_is_narrowed(place, other):
    with own(place) as session:
        assert session.scalar(select(func.count(Customer.id))) == 1
        assert session.scalar(select(func.count()).select_from(Customer)) == 1


def test_subquery_is_narrowed(place, other):
    foreign = select(Customer.id).where(Customer.lab_id == other).scalar_subquery()
    with own(place) as session:
        assert session.execute(select(Lab.id, foreign).where(Lab.id == 1)).all() == [(1, None)]
        nested = select(Site.id).where(Site.customer_id.in_(select(Customer.id)))
        assert len(session.scalars(nested).all()) == 1


def test_union_is_narrowed(place, other):
    both = select(Customer.id).union_all(select(Site.id))
    with own(place) as session:
        assert len(session.execute(both).all()) == 2


def test_bare_exists_is_refused(place, other):
    with pytest.raises(Unscoped), own(place) as session:
        session.execute(select(exists().where(Customer.lab_id == other)))


def test_get_of_a_foreign_row_finds_nothing(place, other):
    with own(place) as session:
        assert session.get(Customer, 2) is None
        assert session.get(Customer, 1) is not None


def test_identity_map_is_not_read_for_another_lab(place, other):
    with lab_session(place.engine, other) as session:
        row = session.get(Customer, 2)
        assert row is not None
        session.info["lab_id"] = place.lab_id
        with pytest.raises(Unscoped):
            session.get(Customer, 2)
        with pytest.raises(Unscoped):
            session.scalars(select(Customer)).all()
        session.info["lab_id"] = other


def test_update_touches_own_rows_only(place, other):
    with own(place) as session:
        done = session.execute(update(Customer).values(address="changed"))
        assert done.rowcount == 1
    with lab_session(place.engine, other) as session:
        assert session.scalars(select(Customer.address)).all() == [""]


def test_delete_touches_own_rows_only(place, other):
    with own(place) as session:
        session.execute(delete(Site))
    with lab_session(place.engine, other) as session:
        assert len(session.scalars(select(Site)).all()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        text("SELECT id FROM customers"),
        select(Customer.__table__),
        select(func.count()).select_from(Customer.__table__),
        update(Customer.__table__).values(address="x"),
        delete(Customer.__table__),
        insert(Customer.__table__).values(lab_id=2),
        insert(Customer).values(lab_id=2),
    ],
    ids=[
        "text",
        "core-select",
        "core-count",
        "core-update",
        "core-delete",
        "core-insert",
        "insert",
    ],
)
def test_statements_that_cannot_be_narrowed_are_refused(place, other, statement):
    with pytest.raises(Unscoped), own(place) as session:
        session.execute(statement)


def test_bulk_insert_and_bare_connection_are_refused(place, other):
    with own(place) as session:
        with pytest.raises(Unscoped):
            session.bulk_insert_mappings(Site, [{"lab_id": 2}])
        with pytest.raises(Unscoped):
            session.bulk_save_objects([])
        with pytest.raises(Unscoped):
            session.connection()


def test_new_row_is_stamped_and_a_foreign_one_refused(place, other, now):
    def site(**more):
        return Site(customer_id=1, name_en="x", venue_type="other", created_at=now, **more)

    with own(place) as session:
        row = site()
        session.add(row)
        session.flush()
        assert row.lab_id == place.lab_id
        told(session)
    with own(place) as session:
        session.add(site(lab_id=other))
        with pytest.raises(Unscoped):
            session.flush()
        session.rollback()


def test_row_cannot_be_moved_to_another_lab(place, other):
    with own(place) as session:
        session.scalars(select(Site)).one().lab_id = other
        with pytest.raises(Unscoped):
            session.flush()
        session.rollback()


def test_session_without_lab_refuses(place):
    with LabSession(place.engine) as session:
        with pytest.raises(Unscoped):
            session.scalars(select(Customer)).all()
        with pytest.raises(Unscoped):
            session.get(Customer, 1)
        session.add(Customer(name_en="x"))
        with pytest.raises(Unscoped):
            session.flush()


def test_database_itself_refuses_a_reference_into_another_lab(place, other, now):
    with own(place) as session:
        # customer 2 is the other lab's; no service would look it up
        session.add(Site(customer_id=2, name_en="x", venue_type="other", created_at=now))
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


BETWEEN = {("problem_answers", "problems")}
"""A laboratory answers an authority, which is another tenant."""


def test_every_reference_between_lab_tables_carries_the_lab():
    for table in Customer.metadata.tables.values():
        if "lab_id" not in table.c:
            continue
        for key in table.foreign_key_constraints:
            target = key.referred_table
            if (table.name, target.name) in BETWEEN:
                continue
            if "lab_id" in target.c and target.c.lab_id.nullable:
                continue  # keys: the installation has some of its own
            if "lab_id" in target.c and "place" not in target.primary_key.columns:
                assert "lab_id" in key.column_keys, f"{table.name} -> {target.name}"


def test_cached_statements_do_not_leak_between_sessions(place, other):
    for _ in range(20):
        for lab in (place.lab_id, other):
            with lab_session(place.engine, lab) as session:
                assert [c.lab_id for c in session.scalars(select(Customer))] == [lab]


def test_read_only_session_waits_for_no_writer(place):
    seen = statements(place.engine)
    with lab_session(place.engine, place.lab_id, read_only=True) as session:
        session.scalars(select(OrderLine).join(Order, Order.id == OrderLine.order_id)).all()
    assert not any("IMMEDIATE" in s or "advisory" in s for s in seen)


def statements(engine: Engine) -> list[str]:
    seen: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    return seen


def test_installation_session_sees_all_labs(place, other):
    with installation_session(place.engine) as session:
        assert len(session.scalars(select(Customer)).all()) == 2


def test_every_composite_key_of_the_program_stands_in_the_database(place):
    for table in Customer.metadata.sorted_tables:
        kept = {
            (tuple(key["constrained_columns"]), key["referred_table"])
            for key in inspect(place.engine).get_foreign_keys(table.name)
        }
        wanted = {
            (tuple(key.column_keys), key.referred_table.name)
            for key in table.foreign_key_constraints
        }
        assert wanted == kept, table.name
