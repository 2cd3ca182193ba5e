"""Figures drawn on the server in a real browser: nothing a program can find fault with."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select

from calib.i18n import translate
from calib.records.calibrations import Calibration
from calib.services import lookup
from instruments.services import standards
from tests.support import builders
from tests.support.issuing import PROBE, Bench, bench_in, everybody
from tests.support.looks import DESK, PHONE, Look, a_context, faults_of, faults_on, in_looks
from tests.support.past import an_old_instrument
from tests.support.served import Served, sign_in

pytestmark = pytest.mark.browser
LOOKS = (
    Look(DESK, "light", "en"),
    Look(DESK, "dark", "zh"),
    Look(PHONE, "light", "zh"),
    Look(PHONE, "dark", "en"),
)


@pytest.fixture(scope="module")
def paths(site: Served) -> tuple[str, ...]:
    """Return the pages with figures: of an instrument and a standard with years behind them."""
    bench = bench_in(site.world, standard="S-077")
    instrument = an_old_instrument(bench, site.wired.store)
    with bench.as_(everybody(bench)) as ctx:
        for year in range(2019, 2026):
            line = standards.CertificateLine("37", f"37.0{year - 2010:02}", "0.010", "2")
            entry = builders.a_certificate(
                number=f"NIM-{year}", values=(line,), calibrated_on=date(year, 3, 1),
                valid_until=date(year + 1, 3, 1), low="30", high="45",
            )  # fmt: skip
            standards.enter_certificate(ctx, bench.standard.id, entry)
        record = lookup.certificates(ctx, instrument_id=instrument, state="issued")[0]
    return (
        f"/instruments/{instrument}",
        f"/standards/{bench.standard.id}",
        f"/standards/{bench.standard.id}/traceability",
        f"/certificates/{record.id}/traceability",
        f"/calibrations/{evaluated(bench, instrument)}/budget",
        f"/methods/history/{PROBE}",
    )


def evaluated(bench: Bench, instrument: int) -> int:
    """Return the record of an instrument that was truly evaluated: the first of it."""
    of_it = select(Calibration.id).where(Calibration.instrument_id == instrument)
    with bench.as_(bench.technician) as ctx:
        return min(ctx.session.scalars(of_it))


@in_looks(*LOOKS)
def test_no_page_with_figures_has_a_fault_a_program_can_find(
    browser: Browser, site: Served, paths: tuple[str, ...], look: Look
) -> None:
    assert faults_of(browser, site, look, paths) == []


@in_looks(Look(DESK, "light", "en"), Look(PHONE, "dark", "zh"))
def test_a_slider_shows_at_once_what_would_be_and_says_that_it_is_not_recorded(
    browser: Browser, site: Served, paths: tuple[str, ...], look: Look
) -> None:
    context = a_context(browser, look)
    page = sign_in(context, site, "technician")
    (budget,) = (path for path in paths if path.endswith("/budget"))
    page.goto(site.address + budget)
    assert page.locator(".not-kept").count() == 0
    slider = page.locator("input[type=range]").first
    slider.focus()
    for _ in range(8):
        slider.press("ArrowRight")
    page.wait_for_selector(".card.unkept .not-kept")
    assert page.locator("output").first.text_content() == "140 %"
    said = page.locator("[data-live]").text_content() or ""
    assert translate("What if: not recorded", look.language) in said
    assert page.evaluate("performance.getEntriesByName('what-if').length") > 0
    assert faults_on(page, budget) == []
    page.reload()
    assert page.locator(".not-kept").count() == 0  # nothing of it was kept
    context.close()
