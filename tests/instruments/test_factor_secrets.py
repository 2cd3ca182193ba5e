"""Secrets of authenticators in the database: closed, bound to their row, closed when found open."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from calib.adapters.factor_key import NAME, FactorKey
from instruments.errors import Refused
from instruments.records.factors import SecondFactor
from instruments.services import factor_secrets, second_factor, totp
from instruments.tenancy import installation_session
from tests.support.builders import NOW, a_person, context_for


@pytest.fixture
def keyed(place, tmp_path):
    """Return the place with a key in a folder of its own."""
    factor_secrets.use_key(place.engine, FactorKey(tmp_path / "data"))
    return place


def enrolled(place):
    """Return a new person and the secret of their authenticator."""
    person_id = a_person(place.engine, place.lab_id)
    with context_for(place, person_id=person_id) as ctx:
        begun = second_factor.begin(ctx, issuer="Calib")
    with context_for(place, person_id=person_id) as ctx:
        codes = second_factor.confirm(ctx, totp.code_at(begun.secret, totp.step_of(NOW)))
    return person_id, begun.secret, codes


def passes(place, person_id, code):
    with installation_session(place.engine) as session:
        return second_factor.passes(session, person_id, code, NOW)


def kept(place):
    with installation_session(place.engine, read_only=True) as session:
        return dict(session.execute(select(SecondFactor.person_id, SecondFactor.secret)).all())


def next_code(secret):
    return totp.code_at(secret, totp.step_of(NOW) + 1)


def test_the_database_does_not_hold_the_secret_and_the_code_still_opens(keyed, tmp_path):
    person_id, secret, _ = enrolled(keyed)
    assert secret not in kept(keyed)[person_id]
    assert kept(keyed)[person_id].startswith("v1.")
    assert (tmp_path / "data" / NAME).stat().st_mode & 0o777 == 0o600
    assert passes(keyed, person_id, next_code(secret))


def test_a_closed_secret_moved_to_another_person_opens_nothing(keyed):
    thief, secret, _ = enrolled(keyed)
    victim, _, _ = enrolled(keyed)
    stolen = kept(keyed)[thief]
    with installation_session(keyed.engine) as session:
        moved = update(SecondFactor).where(SecondFactor.person_id == victim)
        session.execute(moved.values(secret=stolen))
    assert not passes(keyed, victim, next_code(secret))
    assert passes(keyed, thief, next_code(secret))


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "another"])
def test_without_its_key_the_recovery_codes_still_open(keyed, tmp_path, lost):
    person_id, secret, codes = enrolled(keyed)
    file = tmp_path / "data" / NAME
    file.unlink()
    if not lost:
        FactorKey(tmp_path / "data")(make=True)
    assert not passes(keyed, person_id, next_code(secret))
    assert file.exists() is not lost  # none is made to open with
    assert passes(keyed, person_id, codes[0])


def test_secrets_in_clear_are_closed_once(keyed):
    person_id, secret, _ = enrolled(keyed)
    with installation_session(keyed.engine) as session:
        session.execute(update(SecondFactor).values(secret=secret))
    assert [factor_secrets.close_all(keyed.engine) for _ in range(2)] == [1, 0]
    assert secret not in kept(keyed)[person_id]
    assert passes(keyed, person_id, next_code(secret))


def test_a_key_that_others_may_read_or_that_is_none_is_refused(tmp_path):
    key = FactorKey(tmp_path)
    made = key(make=True)
    assert key(make=True) == made
    (tmp_path / NAME).chmod(0o640)
    with pytest.raises(Refused, match="others may read it"):
        key(make=False)
    (tmp_path / NAME).chmod(0o600)
    (tmp_path / NAME).write_bytes(b"short")
    with pytest.raises(Refused, match="holds 5 bytes"):
        key(make=False)
    assert [one.name for one in tmp_path.iterdir()] == [NAME]
