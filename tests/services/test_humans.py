"""Two accounts of one human being are no two persons, wherever two are needed."""

from __future__ import annotations

import pytest

from calib.adapters.files import DirectoryStore
from calib.services import issue, review
from instruments.errors import NotAllowed, NotFound, Refused
from instruments.policy import Role
from instruments.services import humans, people
from tests.support import issuing
from tests.support.builders import a_person, context_for


@pytest.fixture
def bench(bench_on_each):
    return bench_on_each


def second_account(bench, of: int, *roles: Role) -> issuing.Person:
    """Return another account, said to be that of the same human being."""
    id_ = a_person(bench.engine, bench.lab_id, roles, name="Also")
    made = issuing.Person(id_, "Also", roles)
    with context_for(bench.installation) as ctx:
        humans.join_accounts(ctx, made.id, of)
    return made


def test_whoever_measured_reviews_under_no_account(bench):
    id_ = issuing.submitted(bench)
    other = second_account(bench, bench.technician.id, "reviewer")
    with bench.as_(other) as ctx, pytest.raises(Refused) as stop:
        review.review(ctx, id_, issuing.version_of(ctx, id_))
    assert stop.value.code == "same-person"


def test_accounts_joined_after_the_marks_stop_the_issue(bench):
    id_ = issuing.authorised(bench)
    with context_for(bench.installation) as ctx:
        humans.join_accounts(ctx, bench.signatory.id, bench.technician.id)
    with bench.as_(bench.signatory) as ctx, pytest.raises(Refused) as stop:
        issue.reserve(
            ctx, id_, issuing.version_of(ctx, id_), idempotency_key="once-only",
            public_base=issuing.BASE,
        )  # fmt: skip
    assert stop.value.code == "same-person"


def test_nobody_is_their_own_second_person(bench, tmp_path):
    other = second_account(bench, bench.signatory.id, "reviewer")
    store = DirectoryStore(tmp_path / "files")
    id_ = issuing.issued(bench, store, issuing.authorised(bench)).certificate_id
    with bench.as_(bench.signatory) as ctx, pytest.raises(Refused) as stop:
        issue.withdraw(ctx, id_, "wrong bath", other.id)
    assert stop.value.code == "second-person-same"


def test_parted_again_they_are_two(bench):
    other = second_account(bench, bench.technician.id, "reviewer")
    with context_for(bench.installation) as ctx:
        humans.join_accounts(ctx, other.id, None)
        assert not humans.had_a_hand(ctx.session, other.id, {bench.technician.id})
    id_ = issuing.submitted(bench)
    with bench.as_(other) as ctx:
        review.review(ctx, id_, issuing.version_of(ctx, id_))


def test_three_accounts_are_one_human_whoever_is_named_first(bench):
    second = second_account(bench, bench.technician.id, "reviewer")
    third = second_account(bench, second.id, "signatory")
    with context_for(bench.installation) as ctx:
        assert humans.had_a_hand(ctx.session, third.id, {bench.technician.id})
        humans.join_accounts(ctx, bench.technician.id, bench.reviewer.id)
        assert set(humans.humans_of(ctx.session, {second.id, third.id}).values()) == {
            bench.reviewer.id
        }


def test_only_who_gives_roles_says_so_and_never_of_themselves(bench):
    with bench.as_(bench.technician) as ctx, pytest.raises(NotAllowed):
        humans.join_accounts(ctx, bench.reviewer.id, bench.signatory.id)
    mine = bench.installation.person_id
    for pair in ((mine, bench.reviewer.id), (bench.reviewer.id, mine)):
        with context_for(bench.installation) as ctx, pytest.raises(Refused):
            humans.join_accounts(ctx, *pair)


def test_an_account_of_another_lab_is_not_there(bench):
    with context_for(bench.installation) as ctx, pytest.raises(NotFound):
        humans.join_accounts(ctx, bench.reviewer.id, 9999)


def test_nobody_gives_a_role_to_themselves(bench):
    with context_for(bench.installation) as ctx, pytest.raises(Refused) as stop:
        people.grant(ctx, person_id=bench.installation.person_id, role="quality_manager")
    assert stop.value.code == "needs-another-person"
