"""The policy: denied by default, never more for less, and the same as the table people review."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.policy import (
    ACTIONS,
    BOUND,
    OFFICES,
    ROLES,
    STAFF,
    Asker,
    Thing,
    as_table,
    decide,
    things,
)
from tests.house.rights import PAGE

names = st.sampled_from(sorted(ACTIONS))
roles = st.frozensets(st.sampled_from(ROLES))
askers = st.builds(
    Asker,
    person=st.one_of(st.none(), st.integers(1, 3)),
    roles=roles,
    office=st.one_of(st.none(), st.sampled_from(OFFICES)),
    lab=st.integers(1, 2),
    customer=st.one_of(st.none(), st.integers(1, 2)),
    reach=st.one_of(st.none(), st.frozensets(st.sampled_from(["read", *things()]))),
)
some_things = st.builds(
    Thing,
    lab=st.integers(1, 2),
    customer=st.one_of(st.none(), st.integers(1, 2)),
    done_by=st.frozensets(st.integers(1, 3)),
)


def test_what_is_not_in_the_table_nobody_may_do():
    everything = Asker(1, frozenset(ROLES), "operator", lab=1, customer=1)
    for name in ("", "certificate", "certificate.forge", "order.accept ", "Order.accept"):
        assert decide(everything, name).reason == "unknown"


@given(names, some_things)
def test_nobody_does_only_what_is_public(name, thing):
    assert bool(decide(Asker(), name, thing)) == (ACTIONS[name].who == "public")


@given(askers, names, some_things)
def test_who_holds_less_may_never_do_more(asker, name, thing):
    for dropped in asker.roles:
        less = Asker(
            asker.person, asker.roles - {dropped}, asker.office, asker.lab, asker.customer,
            asker.reach,
        )  # fmt: skip
        if decide(less, name, thing):
            assert decide(asker, name, thing)


@given(askers, names, some_things)
def test_a_token_only_takes_away(asker, name, thing):
    whole = Asker(asker.person, asker.roles, asker.office, asker.lab, asker.customer)
    if decide(asker, name, thing):
        assert decide(whole, name, thing)


@given(askers, names, some_things)
def test_nothing_of_another_lab(asker, name, thing):
    if ACTIONS[name].who == "roles" and thing.lab != asker.lab:
        assert not decide(asker, name, thing)


@given(askers, names, some_things)
def test_who_belongs_to_a_customer_reaches_what_is_theirs_only(asker, name, thing):
    if not asker.roles & STAFF and ACTIONS[name].who == "roles" and decide(asker, name, thing):
        assert thing.customer == asker.customer is not None


@given(askers, names, some_things)
def test_who_did_the_step_before_does_not_do_the_next(asker, name, thing):
    if ACTIONS[name].needs_other and asker.person in thing.done_by:
        assert not decide(asker, name, thing)


@given(roles, names)
def test_offices_are_no_roles(held, name):
    asker = Asker(1, held, lab=1)
    if ACTIONS[name].who == "office":
        assert decide(asker, name).reason == "office"


def test_a_token_that_reads_writes_nothing():
    reads = Asker(1, frozenset(ROLES), lab=1, customer=1, reach=frozenset({"read"}))
    allowed = {name for name in ACTIONS if decide(reads, name)}
    assert {n for n in allowed if ACTIONS[n].who != "public" and ACTIONS[n].writes} == set()
    assert "certificate.read" in allowed
    orders = Asker(1, frozenset(ROLES), lab=1, customer=1, reach=frozenset({"order"}))
    assert {n.split(".")[0] for n in ACTIONS if decide(orders, n)} == {"public", "order"}


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("certificate.issue", {"signatory"}),
        ("calibration.enter", {"technician"}),
        ("calibration.review", {"reviewer"}),
        ("role.write", {"manager", "administrator"}),
        ("audit.export", {"quality_manager", "manager"}),
    ],
)
def test_the_acts_that_matter_most_are_whose_they_should_be(name, who):
    assert {role for role in ROLES if decide(Asker(1, frozenset({role}), lab=1), name)} == who


def test_the_administrator_reads_no_result_and_changes_none():
    asker = Asker(1, frozenset({"administrator"}), lab=1)
    for name in ACTIONS:
        if name.split(".")[0] in {"calibration", "certificate", "order", "standard", "method"}:
            assert not decide(asker, name), name


def test_customers_write_nothing_but_orders_and_new_instruments_of_theirs():
    for role in BOUND:
        asker = Asker(1, frozenset({role}), lab=1, customer=1)
        writes = {n for n, a in ACTIONS.items() if a.writes and a.who == "roles"}
        assert {n for n in writes if decide(asker, n)} == {
            "order.request", "order.cancel", "instrument.announce",
        }  # fmt: skip


def test_the_table_people_review_is_the_policy():
    with PAGE.open(newline="", encoding="utf-8") as file:
        assert [tuple(row) for row in csv.reader(file)] == list(as_table())
