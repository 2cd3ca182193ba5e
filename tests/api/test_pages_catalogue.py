"""The pages of the catalogue: found, read, and a limit confirmed beside where it stands."""

from __future__ import annotations

import pytest

from instruments.catalogue.figures import open_figures
from tests.support.benched import a_draft
from tests.support.builders import context_for
from tests.support.confirmed import confirm_limits
from tests.support.web import Browser, a_sign_in

ELECTRONIC = "thermometer.medical_electronic"
PAGE = f"/catalogue/{ELECTRONIC}"


@pytest.fixture
def browser(app, world):
    return Browser(app, a_sign_in(world, "manager"))


@pytest.fixture
def figure(world):
    return open_figures(world.catalogue.get(ELECTRONIC))[0]


def given(figure, **changes):
    sent = {
        "measurand": figure.measurand.id,
        "figure": figure.digest,
        "document": figure.limit.document,
        "clause": "Table 1",
        "confirmed_on": "2026-02-27",
        "remark": "",
    }
    return {**sent, **changes}


def test_every_type_is_listed_with_its_figures_and_what_is_open(browser, world):
    text = browser.get("/catalogue").words()
    for type_ in world.catalogue.list():
        assert type_.name.en in text
    assert "background knowledge that nobody of this laboratory has compared" in text


def test_a_type_is_found_by_document_name_and_measurand(browser):
    for wanted in ("JJG 1164", "ear thermometer", "红外耳温计"):
        text = browser.get(f"/catalogue?q={wanted}").words()
        assert "Infrared ear thermometer" in text
        assert "Patient monitor" not in text
    assert "Nothing found" in browser.get("/catalogue?q=nowhere").words()


def test_every_type_has_a_page_in_both_languages(browser, world):
    for language in ("en", "zh"):
        browser.post("/language", language=language, back="/")
        for type_ in world.catalogue.list():
            page = browser.get(f"/catalogue/{type_.id}")
            assert page.status == 200, type_.id
            assert type_.name.text(language) in page.words()
            assert all(d.id in page.words() for d in type_.documents)


def test_a_limit_is_confirmed_and_revoked_where_it_stands(browser, figure):
    before = browser.get(PAGE).text.count(">not compared yet<")
    assert browser.post(f"{PAGE}/confirm", **given(figure)).location.startswith(PAGE)
    page = browser.get(PAGE)
    assert page.text.count(">not compared yet<") == before - 1
    assert "2026-02-27, GB/T 21416-2008 Table 1" in page.words()
    done = browser.post(f"{PAGE}/revoke", figure=figure.digest, reason="read the wrong table")
    assert done.status == 303
    assert browser.get(PAGE).text.count(">not compared yet<") == before


def test_another_edition_is_refused_with_what_was_typed(browser, figure):
    page = browser.post(f"{PAGE}/confirm", **given(figure, document="GB/T 21416-2024"))
    assert page.status == 422
    assert "You read GB/T 21416-2024, but this limit is that of GB/T 21416-2008" in page.words()
    assert 'value="GB/T 21416-2024"' in page.text
    assert f'href="#document-{figure.digest[:12]}"' in page.text
    assert f'id="document-{figure.digest[:12]}"' in page.text


def test_a_day_ahead_and_a_missing_day_are_refused(browser, figure):
    for day in ("2026-03-03", "", "soon"):
        assert browser.post(f"{PAGE}/confirm", **given(figure, confirmed_on=day)).status == 422


def test_a_technician_reads_and_cannot_confirm(app, world, figure):
    technician = Browser(app, a_sign_in(world, "technician"))
    page = technician.get(PAGE)
    assert f'action="{PAGE}/confirm"' not in page.text
    assert technician.post(f"{PAGE}/confirm", **given(figure)).status == 403


def test_the_catalogue_is_for_the_laboratory_alone(app, world):
    operator = Browser(app, a_sign_in(world, "venue_operator", customer_id=1))
    assert operator.get("/catalogue").status == 403
    assert operator.get(PAGE).status == 403


def test_an_unknown_type_is_not_found(browser):
    assert browser.get("/catalogue/thermometer.nowhere").status == 404
    assert browser.post("/catalogue/thermometer.nowhere/confirm").status == 404


def test_the_bench_says_from_the_beginning_what_is_open_and_where(browser, world, figure):
    model = {"type_id": ELECTRONIC, "resolution": {"temperature": "0.01"}}
    draft = a_draft(world, model=model, order={"decision_rule": "simple"})
    page = browser.get(f"/calibrations/{draft.id}")
    assert "Nobody of the laboratory has compared the limits of Error of indication" in page.words()
    assert f'href="{PAGE}#limits"' in page.text
    with context_for(world) as ctx:
        confirm_limits(ctx, world.catalogue.get(ELECTRONIC))
    assert "Nobody of the laboratory" not in browser.get(f"/calibrations/{draft.id}").words()
