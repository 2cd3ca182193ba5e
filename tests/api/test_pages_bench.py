"""The bench without JavaScript: forms say what the script says, errors stand beside their cell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from calib.services import readings
from tests.support.benched import a_draft, a_lot, a_submitted, fill, with_address
from tests.support.builders import a_certificate, a_model, a_standard, context_for
from tests.support.web import Browser, a_sign_in

HEAD = "v/temperature/as_found/0"


@pytest.fixture
def world(world):
    with_address(world)
    return world


@pytest.fixture
def technician(app, world):
    return Browser(app, a_sign_in(world, "technician"))


def record_of(world, id_: int):
    with context_for(world, read_only=True) as ctx:
        return readings.get_calibration(ctx, id_)


def current(world, id_: int) -> dict[str, str | None]:
    return {
        f"{r.point}/{r.input}/{r.place}": r.value
        for r in (slot.current for slot in record_of(world, id_).slots)
    }


def script(browser: Browser, id_: int, *entries: dict, **more):
    return browser.client.post(
        f"/calibrations/{id_}/readings", json={"entries": list(entries), **more}
    )


def an_entry(value: str | None = "35.1", **more) -> dict:
    given = {
        "measurand": "temperature",
        "stage": "as_found",
        "point": "35.0",
        "input": "t_ind",
        "place": 0,
        "value": value,
        "revision": 0,
    }
    return given | more


def test_the_form_saves_what_was_typed(technician, world) -> None:
    id_ = a_draft(world).id
    page = technician.post(
        f"/calibrations/{id_}/readings",
        **{f"{HEAD}/35.0/t_ind/0/0": "35.10", f"{HEAD}/35.0/t_ind/1/0": ""},
    )
    assert page.location == f"/calibrations/{id_}?done=saved"
    assert current(world, id_) == {"35.0/t_ind/0": "35.10"}


def test_a_field_left_as_it_was_needs_no_reason(technician, world) -> None:
    id_ = a_draft(world).id
    script(technician, id_, an_entry())
    page = technician.post(
        f"/calibrations/{id_}/readings",
        **{f"{HEAD}/35.0/t_ind/0/1": "35.1", f"{HEAD}/35.0/t_ind/1/0": "35.2"},
    )
    assert page.status == 303
    assert current(world, id_) == {"35.0/t_ind/0": "35.1", "35.0/t_ind/1": "35.2"}


def test_a_bad_value_stands_again_beside_its_problem(technician, world) -> None:
    id_ = a_draft(world).id
    page = technician.post(
        f"/calibrations/{id_}/readings",
        **{f"{HEAD}/35.0/t_ind/0/0": "35,1", f"{HEAD}/37.0/t_ind/0/0": "37.1"},
    )
    assert page.status == 422
    cell = page.document.xpath("//input[@data-key='temperature/as_found/0/35.0/t_ind/0']")[0]
    assert (cell.get("value"), cell.get("aria-invalid")) == ("35,1", "true")
    said = page.document.xpath("//*[@id=$id]", id=cell.get("aria-describedby"))[0]
    assert "comma" in said.text_content()
    other = page.document.xpath("//input[@data-key='temperature/as_found/0/37.0/t_ind/0']")[0]
    assert (other.get("value"), other.get("aria-invalid")) == ("37.1", None)
    assert current(world, id_) == {}


def test_a_change_by_form_asks_for_the_reason(technician, world) -> None:
    id_ = a_draft(world).id
    script(technician, id_, an_entry())
    changed = {f"{HEAD}/35.0/t_ind/0/1": "35.4"}
    refused = technician.post(f"/calibrations/{id_}/readings", **changed)
    assert refused.status == 422
    assert "reason" in refused.words()
    assert technician.post(f"/calibrations/{id_}/readings", reason="read again", **changed).location
    assert current(world, id_) == {"35.0/t_ind/0": "35.4"}
    page = technician.get(f"/calibrations/{id_}")
    assert "read again" in page.words()


def test_the_script_is_told_revision_time_cells_and_results(technician, world) -> None:
    id_ = a_draft(world).id
    answer = script(technician, id_, an_entry()).json()
    assert answer["readings"] == [{"revision": 1, "value": "35.1"}]
    assert answer["at"] == "16:30:00"
    assert answer["cells"]["temperature/as_found/0/35.0/t_ind/0"]["value"] == "35.1"
    assert "0 of 3 points complete" in answer["live"]


def test_a_point_shows_its_result_before_the_record_is_complete(technician, world) -> None:
    id_ = a_draft(world).id
    answer = script(technician, id_, an_entry(), an_entry("35.00", input="t_ref")).json()
    assert "1 of 3 points complete" in answer["live"]
    assert "0.08" in answer["live"]  # 35.1 - (35.00 + 0.02)


def test_a_clash_names_the_cell_and_what_stands(technician, world) -> None:
    id_ = a_draft(world).id
    script(technician, id_, an_entry())
    answer = script(technician, id_, an_entry("35.3"))
    assert answer.status_code == 409
    body = answer.json()
    assert body["findings"][0]["code"] == "reading-changed-meanwhile"
    assert body["findings"][0]["at"].startswith("/entries/0")
    assert body["cells"]["temperature/as_found/0/35.0/t_ind/0"]["value"] == "35.1"


@pytest.mark.parametrize(
    "body",
    ['{"entries": [], "entries": []}', '{"entries": NaN}', '{"entries": [{"value": 35.1}]}', "{"],
)
def test_json_that_must_be_guessed_is_refused(technician, world, body) -> None:
    id_ = a_draft(world).id
    answer = technician.client.post(
        f"/calibrations/{id_}/readings", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert current(world, id_) == {}


def test_circumstances_are_noted_all_or_none(technician, world) -> None:
    id_ = a_draft(world).id
    fields = {
        "version": record_of(world, id_).version,
        "performed_on": "2026-03-02",
        "place": "laboratory",
        "acclimatisation_minutes": "30",
        "condition/temperature/start": "22.8",
        "unit/temperature/start": "degC",
        "seen/temperature/start": "0",
        "condition/relative_humidity/start": "5 2",
        "unit/relative_humidity/start": "%RH",
        "seen/relative_humidity/start": "0",
    }
    refused = technician.post(f"/calibrations/{id_}/facts", **fields)
    assert refused.status == 422
    assert record_of(world, id_).performed_on is None
    fields["condition/relative_humidity/start"] = "52"
    assert technician.post(f"/calibrations/{id_}/facts", **fields).status == 303
    record = record_of(world, id_)
    assert record.acclimatisation_minutes == 30
    assert {(c.quantity, c.value) for c in record.conditions} == {
        ("temperature", "22.8"),
        ("relative_humidity", "52"),
    }


def test_points_and_standards_are_chosen(technician, world) -> None:
    id_ = a_draft(world).id
    with context_for(world) as ctx:
        other = a_standard(ctx, code="S-002").certificates[0].id
    page = technician.post(
        f"/calibrations/{id_}/plan",
        **{
            "version": record_of(world, id_).version,
            "measurand": "temperature",
            "points/temperature": "35.0, 37.0  39.0 37.0",
            "standards/temperature": str(other),
        },
    )
    assert page.status == 303
    plan = record_of(world, id_).plan
    assert plan.points["temperature"] == ("35.0", "37.0", "39.0", "37.0#2")
    assert plan.standards["temperature"] == (other,)


def test_two_standards_are_told_apart_row_by_row(technician, world) -> None:
    record = a_draft(world)
    with context_for(world) as ctx:
        other = a_standard(ctx, code="S-002").certificates[0].id
        first = record.plan.standards["temperature"][0]
        change = readings.PlanChange(standards={"temperature": [first, other]})
        readings.plan(ctx, record.id, record.version, change)
    page = technician.get(f"/calibrations/{record.id}")
    name = "s/temperature/as_found/0/37.0"
    assert len(page.document.xpath("//select[@name=$name]/option", name=name)) == 2
    technician.post(
        f"/calibrations/{record.id}/readings",
        **{f"{HEAD}/37.0/t_ref/0/0": "37.00", name: str(other)},
    )
    reading = record_of(world, record.id).slots[0].current
    assert (reading.value, reading.standard_certificate_id) == ("37.00", other)


def test_a_warning_is_accepted_with_a_reason(technician, world) -> None:
    id_ = a_draft(world).id
    with context_for(world) as ctx:
        fill(ctx, id_)
    entry = an_entry(None, point="41.0", place=9, revision=1, reason="battery died")
    script(technician, id_, entry)
    page = technician.get(f"/calibrations/{id_}")
    warning = page.document.xpath("//input[@name='warning']")[0].get("value")
    assert warning.startswith("readings-few@")
    version = record_of(world, id_).version
    refused = technician.post(f"/calibrations/{id_}/submit", version=version)
    assert refused.status == 422
    done = technician.post(
        f"/calibrations/{id_}/warnings", version=version, warning=warning, reason="battery died"
    )
    assert done.status == 303
    version = record_of(world, id_).version
    assert technician.post(f"/calibrations/{id_}/submit", version=version).status == 303
    assert record_of(world, id_).state == "submitted"


def test_readings_come_from_a_file_after_a_dry_run(technician, world) -> None:
    id_ = a_draft(world).id
    table = b"point,reference,indication\n35.0,35.00,35.1\n37.0,37.00,37.1\n"
    shown = technician.post(f"/calibrations/{id_}/import", {"file": ("log.csv", table)})
    assert "can be imported" in shown.words()
    assert current(world, id_) == {}
    fields = {f.get("name"): f.get("value") for f in shown.document.xpath("//form//input[@value]")}
    done = technician.post(
        f"/calibrations/{id_}/import",
        {"nothing": b""},
        **{name: fields[name] for name in ("sure", "name", "stage", "kept")},
    )
    assert done.location == f"/calibrations/{id_}?done=imported"
    assert current(world, id_)["37.0/t_ind/0"] == "37.1"


def test_a_file_with_a_bad_row_imports_nothing(technician, world) -> None:
    id_ = a_draft(world).id
    table = b"point,reference,indication\n35.0,35.00,35.1\n36.5,37.00,37.1\n"
    page = technician.post(f"/calibrations/{id_}/import", {"file": ("log.csv", table)})
    assert "36.5" in page.words()
    assert not page.document.xpath("//input[@name='sure']")


def test_a_lot_has_a_row_for_each_piece(technician, world) -> None:
    id_ = a_lot(world, 50).id
    page = technician.get(f"/calibrations/{id_}")
    assert len(page.document.xpath("//table[contains(@class,'entry-grid')]/tbody/tr")) == 50
    cells = page.document.xpath("//input[@data-cell]/@data-key")
    assert len(cells) == len(set(cells)) == 200


def test_examinations_name_rejected_pieces_by_their_numbers(technician, world) -> None:
    id_ = a_lot(world, 3).id
    fields = {
        "version": record_of(world, id_).version,
        "examinations/appearance/passed": "no",
        "examinations/appearance/rejected": "2 9",
    }
    refused = technician.post(f"/calibrations/{id_}/facts", **fields)
    assert "no piece 9" in refused.problem("examinations/appearance/rejected")
    fields["examinations/appearance/rejected"] = "2"
    assert technician.post(f"/calibrations/{id_}/facts", **fields).status == 303
    assert record_of(world, id_).examinations["appearance"]["rejected_pieces"] == [2]


def test_a_draft_closes_with_a_reason(technician, world) -> None:
    id_ = a_draft(world).id
    version = record_of(world, id_).version
    assert technician.post(f"/calibrations/{id_}/close", version=version, reason="").status == 422
    done = technician.post(f"/calibrations/{id_}/close", version=version, reason="no key sequence")
    assert done.status == 303
    assert "no key sequence" in technician.get(f"/calibrations/{id_}").words()


def test_a_record_that_left_the_bench_takes_no_reading(technician, world) -> None:
    id_ = a_submitted(world)
    assert script(technician, id_, an_entry("35.2", revision=1)).status_code == 409
    page = technician.post(
        f"/calibrations/{id_}/readings", **{f"{HEAD}/35.0/t_ind/0/1": "35.4", "reason": "late"}
    )
    assert page.status == 409


def test_a_type_without_its_mode_says_so(technician, world) -> None:
    with context_for(world) as ctx:
        model = a_model(ctx, world.catalogue, calibration_mode=None)
    assert model.calibration_mode is None
    id_ = a_draft(world, model={"calibration_mode": None}).id
    technician.post(
        f"/calibrations/{id_}/facts",
        version=record_of(world, id_).version,
        performed_on="2026-03-02",
    )
    assert "Not calibratable" in technician.get(f"/calibrations/{id_}").words()


def test_the_list_finds_by_state_and_word(technician, world) -> None:
    draft, done = a_draft(world), a_submitted(world)
    every = technician.get("/calibrations")
    assert {f"/calibrations/{i}" for i in (draft.id, done)} <= set(
        every.document.xpath("//tbody//a/@href")
    )
    drafts = technician.get("/calibrations?state=draft").document.xpath("//tbody//th/a/@href")
    assert drafts == [f"/calibrations/{draft.id}"]
    assert "No record matches" in technician.get("/calibrations?text=nothing-like-this").words()


@pytest.mark.parametrize("path", ["/calibrations", "/calibrations/{id}", "/calibrations/{id}/live"])
def test_operators_do_not_see_the_bench(app, world, path) -> None:
    id_ = a_draft(world).id
    operator = Browser(app, a_sign_in(world, "venue_operator", customer_id=1))
    assert operator.get(path.format(id=id_)).status == 403


def test_a_reviewer_looks_and_cannot_enter(app, world) -> None:
    id_ = a_draft(world).id
    reviewer = Browser(app, a_sign_in(world, "reviewer"))
    page = reviewer.get(f"/calibrations/{id_}")
    assert all(
        cell.get("readonly") is not None for cell in page.document.xpath("//input[@data-cell]")
    )
    assert script(reviewer, id_, an_entry()).status_code == 403


def test_a_standard_says_its_range_its_ratio_and_the_way_out(technician, world) -> None:
    with context_for(world) as ctx:
        a_standard(ctx, replace(a_certificate(), valid_until=date(2026, 1, 1)), code="S-OLD")
    id_ = a_draft(world).id
    page = technician.get(f"/calibrations/{id_}")
    fits, old = (
        page.document.xpath(
            "//label[contains(@class, 'standard')][.//strong[text()=$code]]", code=c
        )[0]
        for c in ("S-001", "S-OLD")
    )
    assert "TUR 5.0:1" in fits.text_content()
    assert old.xpath(".//input[@disabled]")
    (way,) = old.xpath("following-sibling::p[1]/a")
    assert way.get("href").endswith("/certificates/new")
    assert technician.get(way.get("href")).status == 200


def test_what_is_being_typed_gives_results_and_stays_unsaved(technician, world) -> None:
    id_ = a_draft(world).id
    entries = [an_entry("35.1"), an_entry("35.00", input="t_ref"), an_entry("35,", place=1)]
    answer = technician.client.post(f"/calibrations/{id_}/live", json={"entries": entries})
    assert "1 of 3 points complete" in answer.json()["live"]
    assert current(world, id_) == {}


def test_a_file_shows_its_values_before_they_are_taken(technician, world) -> None:
    id_ = a_draft(world).id
    page = technician.client.post(
        f"/calibrations/{id_}/import",
        files={"file": ("r.csv", b"point,reference,indication\n35.0,35.00,35.1\n")},
    )
    assert "35.00" in page.text
    assert current(world, id_) == {}
