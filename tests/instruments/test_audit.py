"""The trail of a lab is a chain: changes and gaps show."""

from __future__ import annotations

from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from instruments.records.audit import AuditEvent
from instruments.services import audit
from tests.support.builders import Installation, a_customer, a_lab, context_for
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
