"""Nothing changes without a row in the audit trail, in the same transaction, or not at all.

The engine itself is watched: every transaction that writes what a lab keeps must also write to the
trail, and when the trail cannot be written the whole act is undone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from calib.adapters.files import DirectoryStore
from calib.keeping.transfer import digest_of
from calib.services import issue, readings, review
from instruments.errors import DomainError
from instruments.services import labs
from tests.support import builders, issuing

UNTOLD = {
    "idempotency_keys",  # remembers an answer, changes nothing
    "number_series",  # counted with the row that takes the number
    "schedule_runs", "sign_ins", "sign_in_failures", "sessions", "outbox", "log_checkpoints",
    "log_cosignatures", "refusal_counts",
}  # fmt: skip
_WRITE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)


@pytest.fixture
def bench(copied):
    made, url = copied(issuing.a_closed_bench)
    opened = issuing.opened_at(made, url)
    yield opened
    opened.engine.dispose()


@contextmanager
def watched(engine) -> Iterator[list[set[str]]]:
    """Collect for every transaction that was committed the tables it wrote."""
    open_: dict[int, set[str]] = {}
    done: list[set[str]] = []

    def wrote(connection, _cursor, statement, *_rest) -> None:
        found = _WRITE.match(statement)
        if found:
            open_.setdefault(id(connection), set()).add(found[1].lower())

    def committed(connection) -> None:
        done.append(open_.pop(id(connection), set()))

    def undone(connection) -> None:
        open_.pop(id(connection), None)

    heard = (("before_cursor_execute", wrote), ("commit", committed), ("rollback", undone))
    for name, hear in heard:
        event.listen(engine, name, hear)
    try:
        yield done
    finally:
        for name, hear in heard:
            event.remove(engine, name, hear)


def unaudited(done: list[set[str]]) -> list[set[str]]:
    return [tables for tables in done if tables - UNTOLD and "audit_events" not in tables]


def a_life(bench, store) -> None:
    """Do everything a lab does with one instrument, from its customer to its withdrawal."""
    with builders.context_for(bench.installation) as ctx:
        customer = builders.a_customer(ctx)
        builders.a_site(ctx, customer.id)
        builders.a_model(ctx, bench.catalogue)
    id_ = issuing.authorised(bench)
    first = issuing.issued(bench, store, id_)
    with bench.as_(bench.technician) as ctx:
        copy = issue.amend(ctx, first.certificate_id, "remark forgotten")
        readings.set_facts(ctx, copy.id, copy.version, remark="bath of oil")
        review.submit(ctx, copy.id, issuing.version_of(ctx, copy.id))
    with bench.as_(bench.reviewer) as ctx:
        review.give_back(ctx, copy.id, issuing.version_of(ctx, copy.id), "look again")
    with bench.as_(bench.technician) as ctx:
        review.submit(ctx, copy.id, issuing.version_of(ctx, copy.id))
    issuing.approve(bench, copy.id)
    second = issuing.issued(bench, store, copy.id)
    with bench.as_(bench.signatory) as ctx:
        issue.withdraw(ctx, second.certificate_id, "bath was wrong", bench.reviewer.id)


def test_every_change_of_a_whole_life_is_in_the_trail(bench, tmp_path):
    store = DirectoryStore(tmp_path / "files")
    with watched(bench.engine) as done:
        a_life(bench, store)
    assert sum(1 for tables in done if tables) > 15
    assert unaudited(done) == []


class TrailBroken(RuntimeError):
    """The audit trail could not be written."""


@contextmanager
def broken_trail(engine) -> Iterator[None]:
    """Let every row of the trail fail."""

    def fail(_connection, _cursor, statement, *_rest) -> None:
        found = _WRITE.match(statement)
        if found and found[1].lower() == "audit_events":
            raise TrailBroken

    event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", fail)


def acts(bench, store) -> dict[str, Callable[[], object]]:
    """Return acts that change something, each as whoever may do it; everything needed is there."""
    filled, submitted = issuing.filled(bench), issuing.submitted(bench)
    reviewed, ready = issuing.submitted(bench), issuing.authorised(bench)
    with bench.as_(bench.reviewer) as ctx:
        review.review(ctx, reviewed, issuing.version_of(ctx, reviewed))
    first = issuing.issued(bench, store, issuing.authorised(bench))
    held = keyed_reservation(bench)

    def as_(person, act):
        def run():
            with bench.as_(person) as ctx:
                act(ctx)

        return run

    def on(act, id_, *more):
        return lambda ctx: act(ctx, id_, issuing.version_of(ctx, id_), *more)

    everybody, sun = issuing.everybody(bench), bench.signatory
    return {
        "customer": as_(everybody, builders.a_customer),
        "site": as_(everybody, lambda ctx: builders.a_site(ctx, bench.customer_id)),
        "model": as_(everybody, lambda ctx: builders.a_model(ctx, bench.catalogue)),
        "standard": as_(everybody, lambda ctx: builders.a_standard(ctx, code="S-099")),
        "lab": as_(everybody, lambda ctx: labs.update_lab(ctx, phone="1")),
        "instrument": as_(
            everybody,
            lambda ctx: builders.an_instrument(
                ctx, bench.catalogue, model_id=bench.model_id, customer_id=bench.customer_id
            ),
        ),
        "record": as_(everybody, lambda ctx: issuing.a_draft(bench, ctx)),
        "facts": as_(
            bench.technician,
            lambda ctx: readings.set_facts(
                ctx, filled, issuing.version_of(ctx, filled), remark="bath"
            ),
        ),
        "submit": as_(bench.technician, on(review.submit, filled)),
        "review": as_(bench.reviewer, on(review.review, submitted)),
        "give back": as_(bench.reviewer, on(review.give_back, submitted, "look again")),
        "authorise": as_(sun, on(review.authorise, reviewed)),
        "issue": lambda: issuing.issued(bench, store, ready),
        "amend": as_(bench.technician, lambda ctx: issue.amend(ctx, first.certificate_id, "typo")),
        "withdraw": as_(
            sun, lambda ctx: issue.withdraw(ctx, first.certificate_id, "bath", bench.reviewer.id)
        ),
        "void": as_(sun, lambda ctx: issue.void(ctx, held, "gone", bench.reviewer.id)),
    }


def keyed_reservation(bench) -> int:
    """Return a number that is reserved and not issued."""
    id_ = issuing.authorised(bench)
    with bench.as_(bench.signatory) as ctx:
        held = issue.reserve(
            ctx, id_, issuing.version_of(ctx, id_), idempotency_key="held",
            public_base=issuing.BASE,
        )  # fmt: skip
    return held.certificate_id


def test_without_the_trail_no_act_is_done_and_with_it_each_is(bench, tmp_path):
    store = DirectoryStore(tmp_path / "files")
    every = acts(bench, store)
    before = digest_of(bench.engine)
    done = []
    with broken_trail(bench.engine):
        for name, act in every.items():
            try:
                act()
                done.append(name)
            except TrailBroken:
                continue
    assert done == []
    assert digest_of(bench.engine) == before
    for name in ("customer", "facts", "submit", "review", "authorise", "issue", "withdraw", "void"):
        every[name]()
    assert digest_of(bench.engine) != before


@pytest.mark.nightly
def test_ten_thousand_acts_leave_ten_thousand_rows(bench):
    """Acts drawn by chance, some of them refused: rows of the trail and changes keep step."""
    rng = random.Random(20260302)  # noqa: S311
    everybody, refused = issuing.everybody(bench), 0
    with watched(bench.engine) as done:
        for n in range(10_000):
            try:
                with bench.as_(everybody) as ctx:
                    _some_act(bench, ctx, rng, n)
            except DomainError:
                refused += 1
    assert unaudited(done) == []
    assert sum(1 for tables in done if "audit_events" in tables) + refused == 10_000
    assert 0 < refused < 5_000


def _some_act(bench, ctx, rng, n: int) -> None:
    drawn = rng.randrange(4)
    if drawn == 0:
        builders.a_customer(ctx, name_en=f"Customer {n}")
    elif drawn == 1:
        builders.a_site(ctx, rng.choice((bench.customer_id, 10**6)), name_en=f"Hall {n}")
    elif drawn == 2:
        labs.update_lab(ctx, phone=rng.choice((f"{n}", "x" * 5000)))
    else:
        builders.an_instrument(
            ctx, bench.catalogue, model_id=bench.model_id, customer_id=bench.customer_id,
            serial=f"SN-{rng.randrange(3000)}",
        )  # fmt: skip
