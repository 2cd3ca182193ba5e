"""Heads of the trails in the ledger: a trail that is computed anew does not fit them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from calib.records.certificates import LedgerLeaf
from calib.services import ledger
from calib.services.heads import INTERVAL, check_trail, tell_heads
from calib.services.told_check import check_told
from instruments.canonical import digest
from instruments.records.audit import AuditEvent
from instruments.services import audit
from instruments.tenancy import installation_session
from tests.support.builders import NOW, a_customer, an_installation, context_for


@pytest.fixture
def place(tmp_path):
    made = an_installation(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}")
    yield made
    made.engine.dispose()


def lines(place):
    with installation_session(place.engine, read_only=True) as session:
        found = session.scalars(select(LedgerLeaf).order_by(LedgerLeaf.place)).all()
        session.expunge_all()
        return found


def faults(place):
    with installation_session(place.engine, read_only=True) as session:
        return [*check_trail(session, place.lab_id), *ledger.check(session), *check_told(session)]


def rewrite(place, from_place):
    """Change a row as the owner of the database, and compute the whole chain after it anew."""
    with place.engine.begin() as connection:
        for act in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER keep_audit_events_{act}"))
    with installation_session(place.engine) as session:
        previous = ""
        for row in session.scalars(select(AuditEvent).order_by(AuditEvent.place)):
            if row.place == from_place:
                row.facts = {"name_en": "somebody else"}
            if row.place > from_place:
                row.previous = previous
            if row.place >= from_place:
                row.digest = audit._digest(row)
            previous = row.digest


def test_a_head_is_told_when_the_trail_has_grown_and_not_too_often(place):
    assert tell_heads(place.engine, NOW) == 1
    assert tell_heads(place.engine, NOW + 2 * INTERVAL) == 0  # nothing was done since
    with context_for(place) as ctx:
        a_customer(ctx)
    assert tell_heads(place.engine, NOW + INTERVAL - timedelta(seconds=1)) == 0
    assert tell_heads(place.engine, NOW + INTERVAL) == 1
    told = lines(place)
    assert [line.certificate_id for line in told] == [0, 0]
    assert all('"type":"audit"' in line.leaf and '"lab":"HZ"' in line.leaf for line in told)
    with installation_session(place.engine, read_only=True) as session:
        assert audit.head(session, place.lab_id) in told[1].subject
        assert audit.head(session, place.lab_id) not in told[1].leaf
    assert faults(place) == []


def test_a_trail_that_was_computed_anew_is_named_with_where(place):
    tell_heads(place.engine, NOW)
    with installation_session(place.engine, read_only=True) as session:
        first = session.scalar(select(AuditEvent.place).order_by(AuditEvent.place.desc()))
    with context_for(place) as ctx:
        for _ in range(3):
            a_customer(ctx)
    tell_heads(place.engine, NOW + INTERVAL)
    rewrite(place, first + 2)
    with installation_session(place.engine, read_only=True) as session:
        assert audit.check_chain(session, place.lab_id) == ()  # the chain alone sees nothing
    (found,) = faults(place)
    assert (found.code, found.at) == ("audit-rewritten", f"/audit/{first + 1}")
    assert found.facts["last"] == first + 3


def test_a_trail_whose_end_was_cut_off_is_named(place):
    with context_for(place) as ctx:
        a_customer(ctx)
    tell_heads(place.engine, NOW)
    with place.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER keep_audit_events_delete"))
        connection.execute(
            text("DELETE FROM audit_events WHERE place = (SELECT max(place) FROM audit_events)")
        )
    assert [found.code for found in faults(place)] == ["audit-rewritten"]


def test_rows_of_earlier_versions_keep_their_digest():
    """What a row hashed before it told before and after is what it hashes now."""
    row = AuditEvent(
        lab_id=1, place=3, happened_at=NOW, person_id=2, act="registry:lab:update",
        object_kind="lab", object_id=1, facts={"phone": ["1", "2"]}, request_id="r",
        previous="0" * 64, changes=[], via="",
    )  # fmt: skip
    assert audit._digest(row) == digest(
        {
            "lab": 1, "place": 3, "happened_at": "2026-03-02T08:30:00.000000Z", "person": 2,
            "act": "registry:lab:update", "object_kind": "lab", "object_id": 1,
            "facts": {"phone": ["1", "2"]}, "request": "r", "previous": "0" * 64,
        }
    )  # fmt: skip
    row.changes = [{"table": "labs", "id": 1, "fields": {"phone": ["1", "2"]}}]
    changed = audit._digest(row)
    row.changes = []
    assert changed != audit._digest(row)
