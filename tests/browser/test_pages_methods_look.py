"""The pages of methods in a real browser: nothing a program can find fault with."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from calib.services import dry_run
from instruments.services import methods
from tests.support.builders import context_for
from tests.support.looks import Look, faults_of, in_looks
from tests.support.served import Served

pytestmark = pytest.mark.browser
CHANGED = {
    "/measurands/0/points/default": ["35.0", "37.0", "41.0"],
    "/measurands/0/points/readings": 6,
    "/measurands/0/limits/0/upper": "0.2",
    "/measurands/0/limits/0/lower": "-0.2",
    "/environment/0/low": "18",
}


@pytest.fixture(scope="module")
def paths(site: Served) -> tuple[str, ...]:
    """Return the pages of a submitted revision, of a draft with an error and of a large type."""
    world = site.world
    types = ("thermometer.infrared_forehead", "thermometer.infrared_ear", "monitor.patient")
    with context_for(world) as ctx:
        sent, broken, large = (methods.copy_type(ctx, t, world.catalogue) for t in types)
        sent = methods.change_figures(ctx, sent.id, sent.version, CHANGED)
        dry_run.submit(ctx, sent.id, sent.version, "As our blackbody asks.", world.catalogue)
        wrong = {"/measurands/0/components/1/half_width": "wide", "/acclimatisation_minutes": 20}
        methods.change_figures(ctx, broken.id, broken.version, wrong)
    return (
        "/methods",
        f"/methods/{sent.id}",
        f"/methods/{sent.id}/dry-run",
        f"/methods/{broken.id}",
        f"/methods/{broken.id}/edit",
        f"/methods/{large.id}",
        f"/methods/{large.id}/edit",
    )


@in_looks()
def test_no_page_of_methods_has_a_fault_a_program_can_find(
    browser: Browser, site: Served, paths: tuple[str, ...], look: Look
) -> None:
    assert faults_of(browser, site, look, paths) == []
