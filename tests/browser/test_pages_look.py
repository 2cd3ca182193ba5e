"""Pages in a real browser: axe finds nothing, nothing overflows, the console stays silent."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from calib.services import lookup
from tests.support import builders
from tests.support.benched import a_draft, a_lot, a_submitted, an_authorised, an_issued, fill
from tests.support.builders import context_for
from tests.support.looks import DESK, PHONE, Look, faults_of, in_looks
from tests.support.served import Served
from tests.support.side import drafts

pytestmark = pytest.mark.browser
UNKNOWN = "/c/AAAAAAAAAAAAAAAAAAAAAA"


@dataclass(frozen=True)
class Stations:
    """Addresses of pages at every station of the path."""

    draft: str
    lot: str
    submitted: str
    authorised: str
    certificate: str
    public: str
    side: str


@pytest.fixture(scope="module")
def stations(site: Served) -> Stations:
    world = site.world
    signatory = builders.a_person(world.engine, world.lab_id, name="Sun")
    draft = a_draft(world)
    with context_for(world) as ctx:
        fill(ctx, draft.id)
    issued = an_issued(site, signatory)
    return Stations(
        draft=f"/calibrations/{draft.id}",
        lot=f"/calibrations/{a_lot(world, 12).id}",
        submitted=f"/calibrations/{a_submitted(world)}",
        authorised=f"/calibrations/{an_authorised(world, signatory)}",
        certificate=f"/certificates/{issued.certificate_id}",
        public=f"/c/{issued.token}",
        side="/calibrations/side?" + "&".join(f"id={id_}" for id_ in drafts(world, 3)),
    )


def bench_pages(at: Stations) -> tuple[str, ...]:
    return (at.draft, at.lot, at.side, f"{at.draft}/import")


def pages(at: Stations) -> tuple[str, ...]:
    return (
        "/calibrations",
        at.draft,
        at.submitted,
        at.authorised,
        "/certificates",
        at.certificate,
        f"/certificates/labels?id={at.certificate.rpartition('/')[2]}",
        "/board",
        "/board/wall",
        at.public,
        UNKNOWN,
    )


@in_looks(
    Look(DESK, "light", "en"),
    Look(PHONE, "dark", "zh"),
)
def test_no_page_has_a_fault_a_program_can_find(
    browser: Browser, site: Served, stations: Stations, look: Look
) -> None:
    found = faults_of(browser, site, look, pages(stations), missing=UNKNOWN, has_cells=True)
    at_work = bench_pages(stations)
    found += faults_of(browser, site, look, at_work, role="technician", has_cells=True)
    assert found == []


def test_the_certificate_page_names_what_the_store_holds(site: Served, stations: Stations) -> None:
    with context_for(site.world, read_only=True) as ctx:
        certificate = lookup.certificate(ctx, int(stations.certificate.rpartition("/")[2]))
    assert all(site.wired.store.has(file.sha256) for file in certificate.files)
