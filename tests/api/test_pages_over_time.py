"""Results over time on the pages of an instrument and of a standard: drawn, and as a table."""

from __future__ import annotations

import re
from datetime import date

import pytest

from calib.i18n import translate
from instruments.services import standards
from tests.support import builders
from tests.support.issuing import a_bench, everybody
from tests.support.past import an_old_instrument
from tests.support.web import Browser, a_sign_in, an_application


@pytest.fixture
def bench(tmp_path):
    made = a_bench(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}")
    yield made
    made.engine.dispose()


@pytest.fixture
def app(bench, tmp_path):
    return an_application(bench.installation, tmp_path / "data")


def table_of(page) -> list[list[str]]:
    rows = page.document.xpath("//section[@class='drift']//table//tr")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_became_of_a_result_is_told_in_words(bench, app, language):
    instrument = an_old_instrument(bench, app.state.wiring.store)
    page = Browser(app, a_sign_in(bench.installation), language).get(f"/instruments/{instrument}")
    head, *rows = table_of(page)
    assert head[2:] == ["0", "50", "100"]
    assert len(rows) == 9
    by_number = {row[1].split()[0]: " ".join(row) for row in rows}
    for number, said in (("P-2024", "Replaced"), ("P-2025", "Withdrawn")):
        assert translate(said, language) in by_number[number]
    assert "Offset set by -0.10 °C" in by_number["P-2023"]
    legend = " ".join(page.document.xpath("//ul[@class='marks']")[0].text_content().split())
    for said in (
        "As left, after an adjustment",
        "Withdrawn: counts no more",
        "Replaced by another certificate: counts no more",
        "Band: within the limits",
    ):
        assert translate(said, language) in legend


def test_each_point_is_drawn_with_a_mark_and_a_bar_for_every_result(bench, app):
    instrument = an_old_instrument(bench, app.state.wiring.store)
    page = Browser(app, a_sign_in(bench.installation)).get(f"/instruments/{instrument}")
    charts = page.document.xpath("//figure[@class='chart']/svg[@role='img']")
    assert len(charts) == 3
    first = charts[0]
    assert len(first.xpath(".//*[contains(@class, 'mark')]")) == 9
    assert len(first.xpath(".//*[contains(concat(@class, ' '), 'bar ')]")) == 9
    assert len(first.xpath(".//*[contains(@class, 'gone')]")) == 2
    assert len(first.xpath(".//*[contains(@class, 'cross')]")) == 1
    assert first.xpath(".//text[@class='said']/text()") == ["adjusted"]
    assert re.fullmatch(r"0 °C: 9 results from .* The table holds all\.", first.get("aria-label"))
    joined = first.xpath(".//path[@class='link']")
    assert len(joined) == 5  # 2020 to 2026, without what is gone and not across the adjustment


def test_one_result_is_a_table_without_a_drawing(bench, app):
    instrument = an_old_instrument(bench, app.state.wiring.store, ())
    page = Browser(app, a_sign_in(bench.installation)).get(f"/instruments/{instrument}")
    assert len(table_of(page)) == 2
    assert not page.document.xpath("//figure[@class='chart']")


def test_an_operator_of_another_house_finds_no_history(bench, app):
    instrument = an_old_instrument(bench, app.state.wiring.store)
    with bench.as_(everybody(bench)) as ctx:
        other = builders.a_customer(ctx, name_en="Another house").id
    theirs = Browser(app, a_sign_in(bench.installation, "venue_operator", customer_id=other))
    assert theirs.get(f"/instruments/{instrument}").status == 404
    mine = a_sign_in(bench.installation, "venue_operator", customer_id=bench.customer_id)
    assert len(table_of(Browser(app, mine).get(f"/instruments/{instrument}"))) == 10


def test_a_standard_shows_its_corrections_over_time(bench, app):
    def entry(year: int, reference: str):
        line = standards.CertificateLine("50", reference, "0.010", "2")
        day = date(year, 3, 1)
        return builders.a_certificate(
            number=f"NIM-{year}", values=(line,), calibrated_on=day,
            valid_until=date(year + 2, 3, 1), low="40", high="60",
        )  # fmt: skip

    with bench.as_(everybody(bench)) as ctx:
        standard = builders.a_standard(ctx, entry(2023, "50.010"), code="S-77")
        alone = builders.a_standard(ctx, entry(2023, "50.010"), code="S-78")
        standards.enter_certificate(ctx, standard.id, entry(2025, "50.040"))
    browser = Browser(app, a_sign_in(bench.installation))
    page = browser.get(f"/standards/{standard.id}")
    assert [row[1:] for row in table_of(page)[1:]] == [
        ["NIM-2023", "+0.010 U 0.010"],
        ["NIM-2025", "+0.040 U 0.010"],
    ]
    assert "+0.030 °C, more than the U of both together (0.014 °C). It drifts." in page.words()
    assert not table_of(browser.get(f"/standards/{alone.id}"))
