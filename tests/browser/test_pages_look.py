"""Pages in a real browser: axe finds nothing, nothing overflows, the console stays silent."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from calib.services import lookup
from tests.support import builders
from tests.support.benched import a_draft, a_lot, a_submitted, an_authorised, an_issued, fill
from tests.support.builders import context_for
from tests.support.served import Served, sign_in

pytestmark = pytest.mark.browser
PHONE, DESK = (360, 740), (1360, 900)


@dataclass(frozen=True)
class Stations:
    """Addresses of pages at every station of the path."""

    draft: str
    lot: str
    submitted: str
    authorised: str
    certificate: str
    public: str


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
    )


def pages(at: Stations) -> dict[str, str]:
    return {
        "records": "/calibrations",
        "draft": at.draft,
        "lot": at.lot,
        "import": f"{at.draft}/import",
        "submitted": at.submitted,
        "authorised": at.authorised,
        "certificates": "/certificates",
        "certificate": at.certificate,
        "labels": f"/certificates/labels?id={at.certificate.rpartition('/')[2]}",
        "board": "/board",
        "wall": "/board/wall",
        "public": at.public,
        "unknown": "/c/AAAAAAAAAAAAAAAAAAAAAA",
    }


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [(DESK, "light", "en"), (DESK, "dark", "zh"), (PHONE, "light", "zh"), (PHONE, "dark", "en")],
    ids=["desk-light-en", "desk-dark-zh", "phone-light-zh", "phone-dark-en"],
)
def test_no_page_has_a_fault_a_program_can_find(
    browser: Browser, site: Served, stations: Stations, size, scheme, language
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale="zh-CN" if language == "zh" else "en-GB",
    )
    page = sign_in(context, site, "signatory")
    faults: list[str] = []
    page.on("console", lambda m: faults.append(f"{page.url}: {m.text}") if m.type == "error" else 0)
    page.on("pageerror", lambda fault: faults.append(f"{page.url}: {fault}"))
    for name, path in pages(stations).items():
        answer = page.goto(site.address + path)
        assert answer is not None
        if name == "unknown":
            assert answer.status == 404
            faults.clear()  # the browser notes the status itself
        else:
            assert answer.status == 200, name
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            faults.append(f"{name}: {wide} px wider than the screen")
        found = Axe().run(page).response["violations"]
        faults += [f"{name}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in found]
    context.close()
    assert faults == []


def test_the_certificate_page_names_what_the_store_holds(site: Served, stations: Stations) -> None:
    with context_for(site.world, read_only=True) as ctx:
        certificate = lookup.certificate(ctx, int(stations.certificate.rpartition("/")[2]))
    assert all(site.wired.store.has(file.sha256) for file in certificate.files)
