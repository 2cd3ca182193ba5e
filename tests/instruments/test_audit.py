"""The trail of a lab is a chain: changes and gaps show."""

from __future__ import annotations

import dataclasses
from contextlib import suppress

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from instruments.changes import HIDDEN, digest_of_rows
from instruments.records.audit import AuditEvent
from instruments.records.parties import Customer, Person
from instruments.services import audit, customers, signin
from instruments.tenancy import see_all_labs
from tests.support.builders import Installation, a_customer, a_lab, context_for, told
from tests.support.ruling import ruling


def forge(place: Installation, statement: str, digest: str = "") -> None:
    """Run a statement as somebody who rules the database, past its triggers."""
    with ruling(place.engine) as connection:
        if place.engine.dialect.name == "sqlite":
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER keep_audit_events_{act}"))
        else:
            connection.execute(text("ALTER TABLE audit_events DISABLE TRIGGER USER"))
        connection.execute(text(statement), {"digest": digest} if digest else {})


@pytest.fixture
def trail(place):
    """Return an installation whose lab has done some acts."""
    with context_for(place) as ctx:
        for _ in range(3):
            a_customer(ctx)
    return place


def codes(place):
    with context_for(place) as ctx:
        return [f.code for f in audit.check_chain(ctx.session, place.lab_id)]


def test_an_event_of_a_job_that_has_no_request_keeps_the_chain(trail):
    with context_for(trail) as ctx:
        event = AuditEvent(
            lab_id=trail.lab_id,
            happened_at=ctx.now,
            person_id=None,
            act="notice:notices:make",
            object_kind="notice",
            object_id=None,
            facts={},
        )
        audit.append(ctx.session, event)
    assert codes(trail) == []


def test_untouched_trail_has_no_findings(trail):
    assert codes(trail) == []


def test_changed_row_is_found(trail):
    forge(trail, "UPDATE audit_events SET act = 'registry:customer:forget' WHERE place = 3")
    assert codes(trail) == ["audit-row-changed"]


def test_removed_row_is_found(trail):
    forge(trail, "DELETE FROM audit_events WHERE place = 3")
    assert codes(trail) == ["audit-gap"]


def test_rewritten_row_with_its_own_digest_breaks_the_chain(trail):
    with context_for(trail) as ctx:
        event = ctx.session.get(audit.AuditEvent, 3)
        event.act = "other"
        digest = audit._digest(event)
        ctx.session.expunge(event)
    forge(trail, "UPDATE audit_events SET act = 'other', digest = :digest WHERE id = 3", digest)
    assert codes(trail) == ["audit-chain-broken"]


def test_database_refuses_to_change_the_trail(trail):
    with pytest.raises(DBAPIError, match="insert-only"), ruling(trail.engine) as connection:
        connection.execute(text("UPDATE audit_events SET act = 'x'"))
    with pytest.raises(DBAPIError, match="insert-only"), ruling(trail.engine) as connection:
        connection.execute(text("DELETE FROM audit_events"))


def test_each_lab_has_a_chain_of_its_own(trail):
    other = a_lab(trail.engine, "SH")
    with context_for(trail, lab_id=other) as ctx:
        a_customer(ctx)
        assert audit.check_chain(ctx.session, other) == ()
        own_head = audit.head(ctx.session, other)
    with context_for(trail) as ctx:
        assert audit.head(ctx.session, trail.lab_id) != own_head


def test_act_that_fails_leaves_no_row(trail):
    with context_for(trail) as ctx:
        before = audit.head(ctx.session, trail.lab_id)
    with suppress(RuntimeError), context_for(trail) as ctx:
        a_customer(ctx)
        raise RuntimeError
    with context_for(trail) as ctx:
        assert audit.head(ctx.session, trail.lab_id) == before


def changes_of(place, act):
    with context_for(place) as ctx:
        found = select(AuditEvent).where(AuditEvent.act == act).order_by(AuditEvent.place.desc())
        return ctx.session.scalars(found).first().changes


def test_a_row_tells_both_values_of_each_field_that_changed(place):
    with context_for(place) as ctx:
        made = a_customer(ctx, phone="1", contact="Ms He")
        assert made.version == 1
    with context_for(place) as ctx:
        customers.update_customer(ctx, made.id, 1, name_en="Clinic", phone="2", contact="Ms He")
    (change,) = changes_of(place, "registry:customer:update")
    assert (change["table"], change["id"]) == ("customers", made.id)
    assert change["fields"]["phone"] == ["1", "2"]
    assert "contact" not in change["fields"]


def test_a_field_set_without_having_been_read_has_its_before(place):
    with context_for(place) as ctx:
        made = a_customer(ctx, phone="1")
    with context_for(place) as ctx:
        row = ctx.session.get(Customer, made.id)
        ctx.session.expire(row)
        row.phone = "2"
        told(ctx.session)
    (change,) = changes_of(place, "test:row:write")
    assert change["fields"] == {"phone": ["1", "2"]}


def test_what_is_secret_or_long_is_not_told(place):
    with context_for(place) as ctx:
        row = ctx.session.get(Person, place.person_id)
        row.password_hash, row.name, row.language = "argon2 secret", "Wu", "x" * 500
        told(ctx.session)
    (change,) = changes_of(place, "test:row:write")
    assert change["fields"]["password_hash"][1] == HIDDEN
    assert change["fields"]["name"] == [HIDDEN, HIDDEN]  # it can be erased
    assert change["fields"]["language"][1].startswith("sha256:")
    assert "argon2 secret" not in repr(change)


def test_made_rows_are_told_by_a_digest_that_their_content_gives_again(place):
    with context_for(place) as ctx:
        made = a_customer(ctx)
    (change,) = changes_of(place, "registry:customer:create")
    assert change["made"] == [[made.id, made.id]]
    with place.engine.connect() as connection:
        see_all_labs(connection)
        row = dict(connection.execute(text("SELECT * FROM customers")).mappings().one())
    assert change["digest"] == digest_of_rows([row])


def test_what_a_savepoint_took_back_is_not_told(place):
    with context_for(place) as ctx:
        made = a_customer(ctx, phone="1")
    with context_for(place) as ctx:
        row = ctx.session.get(Customer, made.id)
        row.contact = "kept"
        ctx.session.flush()
        with suppress(RuntimeError), ctx.session.begin_nested():
            row.phone = "2"
            ctx.session.flush()
            raise RuntimeError
        told(ctx.session)
    (change,) = changes_of(place, "test:row:write")
    assert list(change["fields"]) == ["contact"]


def test_what_is_written_after_its_row_is_told_as_more_of_it(place):
    with context_for(place) as ctx:
        made = a_customer(ctx, phone="1")
        ctx.session.get(Customer, made.id).phone = "2"
    (change,) = changes_of(place, "registry:customer:create:more")
    assert change["fields"] == {"phone": ["1", "2"]}
    assert codes(place) == []


def test_a_change_nobody_tells_is_not_kept(place):
    with context_for(place) as ctx:
        made = a_customer(ctx, phone="1")
    with pytest.raises(audit.Untold, match="customers"), context_for(place) as ctx:
        ctx.session.get(Customer, made.id).phone = "2"
    with context_for(place) as ctx:
        assert ctx.session.get(Customer, made.id).phone == "1"


def test_a_row_says_by_which_way_in_its_person_came(place):
    with context_for(place) as ctx:
        token = signin.make_token(ctx, name="program")
        who = signin.resolve(ctx.session, token, ctx.now)
        assert who.via.startswith("token:")
        a_customer(dataclasses.replace(ctx, actor=who.actor()))
    with context_for(place) as ctx:
        act = AuditEvent.act == "registry:customer:create"
        row = ctx.session.scalars(select(AuditEvent).where(act)).first()
        assert (row.via, row.person_id) == (who.via, place.person_id)
