"""An authority sees what stands in its districts, counts it, and keeps what it handed in."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from calib.records.oversight import WeeklyReport
from calib.services import laboratories, oversight, problems, weekly
from calib.services.weekly_figures import ABSENT
from instruments.catalogue.loader import load_catalogue
from instruments.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from instruments.records.sites import Site
from instruments.services import mandates, people, signin
from instruments.tenancy import installation_session, lab_session
from tests.support.builders import Installation, told
from tests.support.certified import a_certificate, a_record, an_order_of, certified, received
from tests.support.due_world import a_model, counted, ctx_of
from tests.support.overseen import Authority, an_authority

CATALOGUE = load_catalogue()
WEEK = "2026-W10"
"""2 to 8 March 2026."""


@pytest.fixture
def overseer(world) -> Authority:
    """Return an authority over Uptown; the station stands there, the school does not."""
    with lab_session(world.engine, world.lab_id) as session:
        session.get(Site, world.sites[world.station]).district = "Uptown"
        session.get(Site, world.sites[world.school]).district = "Harbour"
        told(session)
    return an_authority(_installation(world), "Uptown")


def _installation(world) -> Installation:
    return Installation(world.engine, CATALOGUE, world.lab_id, world.manager_id)


def figures(report) -> dict[tuple[str, str], tuple[str, str]]:
    return {(one.name, one.cut): (one.week, one.since) for one in report.figures}


def test_the_mandate_ends_at_the_border_of_the_district(world, overseer):
    good = world.instrument(world.station, "2026-09-01")
    late = world.instrument(world.station, "2026-02-01")
    world.instrument(world.station, None, status="scrapped")
    elsewhere = world.instrument(world.school, "2026-09-01")
    with ctx_of(world) as ctx:
        certified(world, ctx, CATALOGUE, good, "HZ-1")
        certified(world, ctx, CATALOGUE, late, "HZ-2")
    with overseer.context(read_only=True) as ctx:
        seen = oversight.oversight(ctx, catalogue=CATALOGUE)
        assert {item.instrument_id for item in seen.items} == {good, late}
        total = seen.total
        assert (total.venues, total.venues_good, total.instruments, total.overdue) == (1, 0, 2, 1)
        assert total.colours == {"red": 1, "yellow": 0, "green": 1}
        assert seen.districts == ("Uptown",)
        for hidden in (elsewhere, 987654):
            with pytest.raises(NotFound):
                oversight.overseen_item(ctx, hidden, catalogue=CATALOGUE)
        with pytest.raises(NotFound):
            oversight.oversight(ctx, catalogue=CATALOGUE, site_id=world.sites[world.school])


def test_a_mandate_for_every_district_holds_for_what_stands_in_none(world):
    bare = world.instrument(world.school, None)
    everywhere = an_authority(_installation(world))
    with everywhere.context(read_only=True) as ctx:
        seen = oversight.oversight(ctx, catalogue=CATALOGUE)
    assert [item.instrument_id for item in seen.items] == [bare]
    assert (seen.districts, seen.total.never) == ((), 1)


def test_without_a_mandate_nothing_is_seen_and_the_next_request_ends(world, overseer):
    with installation_session(world.engine) as session:
        signed = signin.open_sign_in(session, overseer.person_id, None, world.now)
        known = signin.resolve(session, signed.token, world.now)
        assert (known.districts, known.roles) == (frozenset({"Uptown"}), frozenset())
        assert known.actor().office == "regulator"
    with installation_session(world.engine) as session:
        assert mandates.end_mandates(
            session, code="AMR", person_id=overseer.person_id, now=world.now
        ) == 1  # fmt: skip
    with installation_session(world.engine) as session:
        assert signin.resolve(session, signed.token, world.now) is None
        with pytest.raises(NotAllowed) as stop:
            signin.open_sign_in(session, overseer.person_id, None, world.now)
        assert stop.value.code == "no-role-today"
    with overseer.context(read_only=True) as ctx, pytest.raises(NotAllowed) as stop:
        oversight.oversight(ctx, catalogue=CATALOGUE)
    assert stop.value.code == "office-missing"


def test_a_mandate_ends_with_its_last_day(world):
    until = an_authority(_installation(world), "Uptown", ends_on=date(2026, 3, 3))
    for days, holds in ((0, True), (1, True), (2, False)):
        with until.context(now=world.now + timedelta(days=days), read_only=True) as ctx:
            assert ctx.may("oversight.read") is holds


def test_a_laboratory_gives_nobody_a_mandate(world):
    with installation_session(world.engine) as session:
        given = {"person_id": world.manager_id, "district": "Uptown", "purpose": "Fever",
                 "now": world.now}  # fmt: skip
        with pytest.raises(Refused) as stop:
            mandates.grant_mandate(session, code="HZ", **given)
        assert stop.value.code == "not-an-authority"
        with pytest.raises(NotFound):
            mandates.grant_mandate(session, code="NONE", **given)
        people.create_lab(
            session, code="AMR", name_en="Office", name_zh="", now=world.now, kind="authority"
        )
        mandates.grant_mandate(session, code="AMR", **given)
        with pytest.raises(Conflict):
            mandates.grant_mandate(session, code="AMR", **given)


def test_the_people_of_a_laboratory_oversee_nothing(world):
    with ctx_of(world) as ctx:
        for act in (
            lambda: oversight.oversight(ctx, catalogue=CATALOGUE),
            lambda: laboratories.directory(ctx),
            lambda: weekly.weekly(ctx, WEEK, catalogue=CATALOGUE),
            lambda: weekly.hand_in(ctx, WEEK, catalogue=CATALOGUE),
        ):
            with pytest.raises(NotAllowed) as stop:
                act()
            assert stop.value.code == "office-missing"


def test_the_overseer_does_no_work_of_a_laboratory(overseer):
    with overseer.context(read_only=True) as ctx:
        for act in ("instrument.read", "certificate.read", "order.read", "customer.read",
                    "audit.read", "problem.answer", "certificate.withdraw"):  # fmt: skip
            assert not ctx.may(act)


def test_however_many_there_are_the_queries_are_few(world, overseer):
    def asked(count):
        for _ in range(count):
            world.instrument(world.station, "2026-09-01")
        with counted(world) as statements, overseer.context(read_only=True) as ctx:
            oversight.oversight(ctx, catalogue=CATALOGUE)
        return len(statements)

    assert asked(1) == asked(20) <= 12


def test_a_week_counts_documents_once_in_the_week_of_their_issue(world, overseer):
    ids = [world.instrument(world.station, "2026-09-01") for _ in range(4)]
    with ctx_of(world) as ctx:
        certified(world, ctx, CATALOGUE, ids[0], "HZ-1")  # issued on 3 March: the day after
        certified(world, ctx, CATALOGUE, ids[1], "HZ-2", verdict="fail")
        certified(world, ctx, CATALOGUE, ids[2], "HZ-3", kind="verification_certificate")
        first = certified(world, ctx, CATALOGUE, ids[3], "HZ-4", kind="check_record",
                          verdict="undetermined")  # fmt: skip
        certified(world, ctx, CATALOGUE, ids[3], "HZ-5", kind="check_record", replaces_id=first)
        certified(world, ctx, CATALOGUE, ids[3], "HZ-6", events=())  # reserved alone
    with overseer.context(read_only=True) as ctx:
        report = weekly.weekly(ctx, WEEK, catalogue=CATALOGUE)
        before = weekly.weekly(ctx, "2026-W09", catalogue=CATALOGUE)
    found = figures(report)
    assert found["calibrated", ""] == ("2", "2")
    assert found["verified", ""] == ("1", "1")
    assert found["checked", ""] == ("1", "1")
    assert found["replaced", ""] == ("1", "1")
    assert found["passed", "none"] == ("2", "2")
    assert found["failed", "none"] == ("1", "1")
    assert found["undecided", "none"] == ("1", "1")
    assert found["pass_rate", "none"] == ("66.7", "66.7")
    assert found["customers", ""] == ("1", "1")
    assert found["venues_served", ""] == ("1", "1")
    assert found["instruments", ""] == ("4", "")
    assert report.absent == ABSENT
    assert figures(before)["calibrated", ""] == ("0", "0")


def test_every_figure_points_to_the_rows_it_counts(world, overseer):
    ids = [world.instrument(world.station, "2026-02-01") for _ in range(3)]
    with ctx_of(world) as ctx:
        for n, id_ in enumerate(ids):
            certified(world, ctx, CATALOGUE, id_, f"HZ-{n}")
    with overseer.context(read_only=True) as ctx:
        report = weekly.weekly(ctx, WEEK, catalogue=CATALOGUE)
    for figure in report.figures:
        if figure.unit == "pieces":
            assert figure.week == str(len(figure.rows)), figure.name
        assert all(0 <= place < len(report.rows) for place in figure.rows)
    late = next(one for one in report.figures if one.name == "overdue")
    assert {report.rows[place].kind for place in late.rows} == {"instrument"}
    assert len(report.rows) == 6  # three documents, three instruments, each once


def test_what_is_outside_the_district_or_simulated_is_not_counted(world, overseer):
    inside = world.instrument(world.station, "2026-09-01")
    outside = world.instrument(world.school, "2026-09-01")
    with ctx_of(world) as ctx:
        for number, customer, id_, simulated in (
            ("HZ-1", world.station, inside, False),
            ("HZ-2", world.station, inside, True),
            ("HZ-3", world.school, outside, False),
        ):
            order = received(ctx, an_order_of(ctx, CATALOGUE, customer, id_))
            record = a_record(ctx, order.lines[0], "issued", simulated=simulated)
            a_certificate(ctx, record, number, "issued")
    with overseer.context(read_only=True) as ctx:
        report = weekly.weekly(ctx, WEEK, catalogue=CATALOGUE)
    assert figures(report)["calibrated", ""] == ("1", "1")
    assert figures(report)["simulated", ""] == ("1", "1")
    assert figures(report)["customers", ""] == ("1", "1")
    assert [row.number for row in report.rows if row.kind != "instrument"] == ["HZ-1", "HZ-2"]


def test_what_was_handed_in_stays_whatever_comes_after(world, overseer):
    first = world.instrument(world.station, "2026-09-01")
    with ctx_of(world) as ctx:
        certified(world, ctx, CATALOGUE, first, "HZ-1")
    with overseer.context() as ctx:
        view = weekly.hand_in(ctx, WEEK, catalogue=CATALOGUE)
    second = world.instrument(world.station, "2026-09-01")
    with ctx_of(world) as ctx:
        certified(world, ctx, CATALOGUE, second, "HZ-2")
    with overseer.context() as ctx:
        again = weekly.hand_in(ctx, WEEK, catalogue=CATALOGUE)
        assert (view.edition, again.edition) == (1, 2)
        _, then = weekly.report_as_handed_in(ctx, view.id)
        _, now = weekly.report_as_handed_in(ctx, again.id)
        assert figures(then)["calibrated", ""] == ("1", "1")
        assert figures(now)["calibrated", ""] == ("2", "2")
        assert [one.id for one in weekly.handed_in(ctx)] == [again.id, view.id]
        row = ctx.session.scalars(select(WeeklyReport).where(WeeklyReport.id == view.id)).one()
        assert json.loads(row.body)["week"] == WEEK
    later = world.now + timedelta(days=7)
    with overseer.context(now=later, read_only=True) as ctx:
        next_week = weekly.weekly(ctx, "2026-W11", catalogue=CATALOGUE)
    change = {one.name: one.change for one in next_week.figures if not one.cut}
    assert (change["calibrated"], change["instruments"]) == ("-2", "+0")


@pytest.mark.parametrize(
    "week", ["", "2026-10", "2026-W1", "2026-W54", "W10", "2026-Wxx", "١٢٣٤-W10"]
)
def test_what_is_no_week_is_refused(overseer, week):
    with overseer.context(read_only=True) as ctx, pytest.raises(Invalid) as stop:
        weekly.weekly(ctx, week, catalogue=CATALOGUE)
    assert stop.value.code == "week-malformed"


def test_a_week_to_come_and_a_count_that_begins_after_it_are_refused(overseer):
    with overseer.context(read_only=True) as ctx:
        with pytest.raises(Invalid) as stop:
            weekly.weekly(ctx, "2026-W11", catalogue=CATALOGUE)
        assert stop.value.code == "week-not-begun"
        with pytest.raises(Invalid) as stop:
            weekly.weekly(ctx, WEEK, catalogue=CATALOGUE, since=date(2026, 3, 9))
        assert stop.value.code == "since-after-week"


def test_a_problem_goes_to_the_laboratory_and_back(world, overseer):
    item = world.instrument(world.station, "2026-02-01")
    given = {"kind": "overdue", "finding": "In use at gate 1.", "demand": "Calibrate it.",
             "until": date(2026, 3, 20), "catalogue": CATALOGUE}  # fmt: skip
    with overseer.context() as ctx:
        opened = problems.open_problem(ctx, instrument_id=item, **given)
        assert (opened.number, opened.state, opened.lab_code) == (1, "open", "HZ")
        assert opened.place.startswith("Uptown · Hall A · ")
        with pytest.raises(Conflict):
            problems.return_answer(ctx, opened.id, 1, "There is nothing yet.")
    with ctx_of(world) as ctx:
        assert [one.id for one in problems.list_problems(ctx)] == [opened.id]
        answered = problems.answer_problem(ctx, opened.id, 1, "Certificate HZ-9 of 3 March.")
        assert answered.state == "answered"
        assert [one.person for one in answered.steps] == ["", "Meng"]
    with overseer.context() as ctx:
        problems.return_answer(ctx, opened.id, 2, "That is another thermometer.")
        assert problems.get_problem(ctx, opened.id).state == "open"
    with ctx_of(world) as ctx:
        problems.answer_problem(ctx, opened.id, 3, "Certificate HZ-10 of 4 March.")
    with overseer.context() as ctx:
        closed = problems.close_problem(ctx, opened.id, 4, "Seen: HZ-10.")
        assert [one.step for one in closed.steps] == [
            "opened", "answered", "returned", "answered", "closed"
        ]  # fmt: skip
        with pytest.raises(Conflict):
            problems.close_problem(ctx, opened.id, 5, "Twice.")
    with ctx_of(world) as ctx, pytest.raises(Conflict):
        problems.answer_problem(ctx, opened.id, 5, "Too late.")


def test_nobody_writes_past_what_the_other_side_wrote_meanwhile(world, overseer):
    with overseer.context() as ctx:
        opened = problems.open_problem(
            ctx, kind="laboratory", finding="No scope.", demand="Enter it.",
            until=date(2026, 3, 5), lab_code="HZ", catalogue=CATALOGUE,
        )  # fmt: skip
    with ctx_of(world) as ctx:
        problems.answer_problem(ctx, opened.id, opened.version, "Entered.")
    with overseer.context() as ctx, pytest.raises(Conflict) as stop:
        problems.close_problem(ctx, opened.id, opened.version, "Nobody answered.")
    assert stop.value.code == "changed-meanwhile"
    with overseer.context() as ctx:
        assert problems.get_problem(ctx, opened.id).state == "answered"
        problems.close_problem(ctx, opened.id, 2, "Seen.")
    with ctx_of(world) as ctx, pytest.raises(Conflict) as stop:
        problems.answer_problem(ctx, opened.id, 2, "And more.")
    assert stop.value.code == "problem-closed"


@pytest.mark.parametrize("named", [{}, {"instrument_id": 1, "lab_code": "HZ"}])
def test_a_problem_is_with_one_thing(overseer, named):
    with overseer.context() as ctx, pytest.raises(Invalid) as stop:
        problems.open_problem(
            ctx, kind="other", finding="A", demand="B", until=date(2026, 3, 9),
            catalogue=CATALOGUE, **named,
        )  # fmt: skip
    assert stop.value.code == "problem-concerns-one"


def test_a_problem_is_late_once_its_day_is_over(world, overseer):
    with overseer.context() as ctx:
        opened = problems.open_problem(
            ctx, kind="laboratory", finding="No scope.", demand="Enter it.",
            until=date(2026, 3, 5), lab_code="HZ", catalogue=CATALOGUE,
        )  # fmt: skip
        assert not opened.is_late
    with overseer.context(now=world.now + timedelta(days=4), read_only=True) as ctx:
        assert problems.get_problem(ctx, opened.id).is_late


def test_nobody_else_sees_or_touches_a_problem(world, overseer):
    with overseer.context() as ctx:
        opened = problems.open_problem(
            ctx, kind="other", finding="A", demand="B", until=date(2026, 3, 5), lab_code="HZ",
            catalogue=CATALOGUE,
        )  # fmt: skip
    other = an_authority(_installation(world), code="OTHER")
    with other.context() as ctx:
        assert problems.list_problems(ctx) == ()
        for act in (
            lambda: problems.get_problem(ctx, opened.id),
            lambda: problems.close_problem(ctx, opened.id, 1, "Mine now."),
        ):
            with pytest.raises(NotFound):
                act()
    with ctx_of(world, customer_id=world.station) as ctx, pytest.raises(NotAllowed):
        problems.list_problems(ctx)


def test_no_problem_is_opened_outside_the_mandate_or_for_yesterday(world, overseer):
    elsewhere = world.instrument(world.school, None)
    given = {"kind": "other", "finding": "A", "demand": "B", "catalogue": CATALOGUE}
    with overseer.context() as ctx:
        with pytest.raises(NotFound):
            problems.open_problem(ctx, until=date(2026, 3, 9), instrument_id=elsewhere, **given)
        with pytest.raises(NotFound):
            problems.open_problem(ctx, until=date(2026, 3, 9), lab_code="AMR", **given)
        with pytest.raises(Invalid) as stop:
            problems.open_problem(ctx, until=date(2026, 3, 1), lab_code="HZ", **given)
        assert stop.value.code == "problem-until-past"


def test_an_instrument_of_a_model_without_a_mode_is_not_called_failed(world, overseer):
    with ctx_of(world) as ctx:
        model = a_model(ctx, model="BST-X", calibration_mode=None, calibration_mode_source="")
    world.instrument(world.station, None, model_id=model)
    with overseer.context(read_only=True) as ctx:
        report = weekly.weekly(ctx, WEEK, catalogue=CATALOGUE)
    assert figures(report)["without_mode", ""] == ("1", "")
    assert ("failed", "none") not in figures(report)


def test_a_laboratory_sees_who_oversees_its_venues_and_what_for(world, overseer):
    an_authority(_installation(world), "Elsewhere", code="OTHER")
    with ctx_of(world) as ctx:
        (one,) = problems.overseen_by(ctx)
    assert (one.district, one.purpose) == ("Uptown", "Thermometers for fever")
    assert one.authority.text("en") == "Laboratory AMR"
