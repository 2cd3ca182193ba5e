"""Certificates in one go: copies to print without seals, sealed originals to keep, both told."""

from __future__ import annotations

import io
import zipfile

import pikepdf
import pypdfium2
import pytest
from sqlalchemy import event, select

from api import printing
from api.app import create_app
from calib.records.calibrations import Calibration
from calib.records.certificates import Certificate
from calib.services import amendment
from instruments.policy import STAFF
from instruments.records.audit import AuditEvent
from instruments.records.orders import OrderLine
from instruments.tenancy import lab_session
from tests.support.builders import a_customer, context_for
from tests.support.sealed_site import unserved_site
from tests.support.web import Browser, a_sign_in


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Return a site with keys, two sealed certificates of one customer, and its application."""
    with unserved_site(tmp_path_factory.mktemp("printed"), "127.0.0.1:8080") as site:
        views = [site.issued() for _ in range(2)]
        yield site, views, create_app(site.wired)


def browser_of(printed, *roles, **more):
    site, _, app = printed
    return Browser(app, a_sign_in(site.bench.installation, *roles, **more))


def asked(views):
    return "&".join(f"id={view.certificate_id}" for view in views)


def trail(site):
    with lab_session(site.bench.engine, site.bench.lab_id, read_only=True) as session:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.act.like("access:certificates%"))
        )
        return [(row.act, row.facts) for row in rows]


def test_one_file_holds_every_page_without_seals_and_says_so(printed):
    site, views, _ = printed
    browser = browser_of(printed, "customer", customer_id=site.bench.customer_id)
    page = browser.get(f"/certificates/print?{asked(views)}")
    assert "takes the seals away" in page.words()
    href = page.document.xpath("//a[contains(@href, 'print.pdf')]/@href")[0]
    content = browser.client.get(href).content
    originals = [pypdfium2.PdfDocument(site.file(view)) for view in views]
    made = pypdfium2.PdfDocument(content)
    assert len(made) == sum(len(one) for one in originals)
    for view, number in zip(views, (0, len(originals[0])), strict=True):
        said = made[number].get_textpage().get_text_range()
        assert "Copy for printing, carries no seal" in said
        assert f"/c/{view.token}" in said
        assert view.number in said
    joined = pikepdf.open(io.BytesIO(content))
    assert "/AcroForm" not in joined.Root
    assert b"/ByteRange" not in content
    assert b"/Sig" not in content
    sealed = pikepdf.open(io.BytesIO(site.file(views[0])))
    assert "/AcroForm" in sealed.Root  # what is compared above is there at all


def test_originals_are_handed_out_byte_for_byte(printed):
    site, views, _ = printed
    browser = browser_of(printed, "customer", customer_id=site.bench.customer_id)
    content = browser.client.get(f"/certificates/originals.zip?{asked(views)}").content
    pack = zipfile.ZipFile(io.BytesIO(content))
    assert {name: pack.read(name) for name in pack.namelist()} == {
        f"{view.number}.pdf": site.file(view) for view in views
    }


def test_printing_again_is_told_in_the_trail(printed):
    site, views, _ = printed
    browser = browser_of(printed, "technician")
    before = trail(site)
    for _ in range(2):
        assert browser.client.get(f"/certificates/print.pdf?{asked(views)}").status_code == 200
    assert (
        trail(site)[len(before) :]
        == [(printing.PRINT, {"numbers": [view.number for view in views]})] * 2
    )


def test_nobody_prints_what_is_anothers(printed):
    site, views, _ = printed
    with context_for(site.bench.installation) as ctx:
        other = a_customer(ctx, name_en="Elsewhere", name_zh="别处")
    browser = browser_of(printed, "customer", customer_id=other.id)
    before = trail(site)
    for path in ("print", "print.pdf", "originals.zip"):
        assert browser.client.get(f"/certificates/{path}?{asked(views)}").status_code == 404
    assert trail(site) == before


def test_all_of_an_order_are_found(printed):
    site, views, _ = printed
    browser = browser_of(printed, "technician")
    with lab_session(site.bench.engine, site.bench.lab_id, read_only=True) as session:
        first = session.scalars(
            select(OrderLine.order_id)
            .join(Calibration, Calibration.order_line_id == OrderLine.id)
            .join(Certificate, Certificate.calibration_id == Calibration.id)
            .where(Certificate.id == views[0].certificate_id)
        ).one()
    page = browser.get(f"/orders/{first}")
    href = page.document.xpath("//a[contains(@href, '/certificates/print?order=')]/@href")[0]
    shown = browser.get(href)
    assert views[0].number in shown.words()
    assert views[1].number not in shown.words()


def test_too_many_or_none_are_refused(printed, monkeypatch):
    site, views, _ = printed
    browser = browser_of(printed, *sorted(STAFF))
    assert browser.client.get("/certificates/print.pdf").status_code == 409
    monkeypatch.setattr(printing, "MOST_BYTES", len(site.file(views[0])) + 1)
    refused = browser.get(f"/certificates/print.pdf?{asked(views)}")
    assert refused.status == 409
    assert "Choose fewer" in refused.words()
    monkeypatch.setattr(printing, "MOST", 1)
    assert (
        "at most 1 are taken at once"
        in browser.get(f"/certificates/print.pdf?{asked(views)}").words()
    )


def test_two_cost_as_many_statements_as_one(printed):
    site, views, _ = printed
    browser = browser_of(printed, "technician")

    def statements(some):
        seen = []
        listen = lambda *args: seen.append(args[2])  # noqa: E731
        event.listen(site.wired.engine, "before_cursor_execute", listen)
        browser.client.get(f"/certificates/print.pdf?{asked(some)}")
        event.remove(site.wired.engine, "before_cursor_execute", listen)
        return len(seen)

    assert statements(views) == statements(views[:1])


def test_a_withdrawn_one_is_marked_as_such(printed):
    site = printed[0]
    withdrawn = site.issued()
    with site.bench.as_(site.bench.signatory) as ctx:
        amendment.withdraw(ctx, withdrawn.certificate_id, "damaged", site.bench.reviewer.id)
    content = (
        browser_of(printed, "technician")
        .client.get(f"/certificates/print.pdf?id={withdrawn.certificate_id}")
        .content
    )
    assert "WITHDRAWN" in pypdfium2.PdfDocument(content)[0].get_textpage().get_text_range()
