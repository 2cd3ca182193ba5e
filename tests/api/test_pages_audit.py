"""The audit trail on pages: narrowed, paged, handed out, and telling of itself."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from sqlalchemy import select

from api.pages import audit as page
from instruments.records.audit import AuditEvent
from instruments.services import customers, labs
from instruments.tenancy import installation_session
from tests.support.builders import a_customer, a_lab, context_for
from tests.support.web import Browser, a_sign_in


def acts_of(world, prefix):
    with installation_session(world.engine, read_only=True) as session:
        found = select(AuditEvent).where(AuditEvent.act.startswith(prefix))
        return [(row.act, row.facts) for row in session.scalars(found.order_by(AuditEvent.id))]


@pytest.fixture
def changed(world):
    """Change a customer, so that a before and an after are told."""
    with context_for(world) as ctx:
        made = a_customer(ctx, name_en="Old clinic", phone="111")
    with context_for(world) as ctx:
        customers.update_customer(ctx, made.id, made.version, name_en="New clinic", phone="222")
    return made.id


def test_before_and_after_stand_in_words_beside_each_other(browser, changed):
    found = browser.get(f"/lab/audit?kind=customer&object={changed}&act=registry:customer:update")
    words = found.words()
    assert "Customer changed" in words
    (row,) = found.document.xpath("//table//table//tr[th[text()='Name in English']]")
    assert [cell.text for cell in row.xpath("td")] == ["Old clinic", "New clinic"]
    assert found.document.xpath(f"//td/a[@href='/customers/{changed}']")
    chinese = Browser.__new__(Browser)
    chinese.client = browser.client
    chinese.client.cookies.set("calib_language", "zh")
    shown = chinese.get("/lab/audit").words()
    assert "委托单位已修改" in shown
    assert "审计追踪" in shown


def test_text_person_and_period_narrow_what_is_shown(browser, changed, world):
    assert "New clinic" in browser.get("/lab/audit?text=new+CLINIC").words()
    assert "No act matches." in browser.get("/lab/audit?text=nothing-like-it").words()
    assert "No act matches." in browser.get("/lab/audit?person=999").words()
    assert "No act matches." in browser.get("/lab/audit?from=2026-03-03").words()
    assert "Customer changed" in browser.get("/lab/audit?from=2026-03-02&until=2026-03-02").words()
    refused = browser.get("/lab/audit?from=soon")
    assert refused.status == 422


def test_pages_follow_each_other_without_loss_or_repetition(browser, world, monkeypatch):
    monkeypatch.setattr(page, "PAGE", 7)
    with context_for(world) as ctx:
        for n in range(20):
            labs.update_lab(ctx, phone=str(n))
    seen, path = [], "/lab/audit"
    while path:
        found = browser.get(path)
        cells = found.document.xpath("//table/tbody/tr/td[1]/span[contains(@class,'number')]")
        seen += [int(cell.text) for cell in cells]
        older = found.document.xpath("//a[text()='Older']/@href")
        path = f"/lab/audit{older[0]}" if older else ""
    assert seen == list(range(max(seen), 0, -1))


def test_a_lab_reads_its_own_trail_alone(app, world, changed):
    other = a_lab(world.engine, "SH")
    with context_for(world, lab_id=other) as ctx:
        a_customer(ctx, name_en="Their clinic")
    seen = Browser(app, a_sign_in(world, "quality_manager")).get("/lab/audit?text=clinic").words()
    assert "New clinic" in seen
    assert "Their clinic" not in seen


def test_whoever_may_not_read_it_is_refused_and_the_refusal_is_told(app, world):
    technician = Browser(app, a_sign_in(world, "technician"))
    assert technician.get("/lab/audit").status == 403
    assert technician.get("/lab/audit.csv").status == 403
    told = [facts["asked"] for act, facts in acts_of(world, "access:request:refuse")]
    assert told == ["audit.read", "audit.export"]
    assert acts_of(world, "access:list:export") == []


def test_everybody_reads_their_own_acts(app, world):
    customer = Browser(app, a_sign_in(world, "customer", customer_id=1))
    assert "API token made" in customer.get("/account/acts").words()
    assert "Customer entered" not in customer.get("/account/acts").words()


def test_of_the_trail_of_the_others_nothing_is_told_to_who_reads_their_own(app, world, changed):
    customer = Browser(app, a_sign_in(world, "customer", customer_id=1))
    for name in ("first", "second"):
        assert customer.post("/account/tokens", name=name, days="9").status == 200
    acts = customer.client.get("/api/v1/account/acts").json()
    assert [act["number"] for act in acts] == list(range(len(acts), 0, -1))
    older = customer.client.get("/api/v1/account/acts?before=3&limit=1").json()
    assert [act["number"] for act in older] == [2]
    with context_for(world, read_only=True) as ctx:
        places = {event.digest for event in ctx.session.scalars(select(AuditEvent))}
    shown = customer.client.get("/account/acts").text + json.dumps(acts)
    assert not [digest for digest in places if digest in shown]
    assert not {"place", "previous", "digest", "person"} & set(acts[0])


def test_an_exported_trail_holds_no_formula_and_is_told_before(browser, world, changed):
    with context_for(world) as ctx:
        made = customers.get_customer(ctx, changed)
        customers.update_customer(ctx, changed, made.version, name_en="=1+1", phone="@now")
    answer = browser.client.get("/lab/audit.csv?kind=customer")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][0] == "Place"
    assert len(rows) == 1 + len(acts_of(world, "registry:customer"))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    book = browser.client.get("/lab/audit.xlsx?kind=customer")
    assert zipfile.ZipFile(io.BytesIO(book.content)).testzip() is None
    told = acts_of(world, "access:list:export")
    assert [facts["asked"] for _, facts in told] == [
        "/lab/audit.csv?kind=customer", "/lab/audit.xlsx?kind=customer",
    ]  # fmt: skip


def test_without_its_row_nothing_is_handed_out(browser, world, monkeypatch):
    from instruments.services import audit

    def fail(*_args, **_more):
        raise RuntimeError("the trail cannot be written")

    monkeypatch.setattr(audit, "record", fail)
    answer = browser.client.get("/lab/audit.csv")
    assert answer.status_code == 500
    assert b"Place" not in answer.content


def test_the_page_of_a_thing_leads_to_its_acts(browser, changed):
    shown = browser.get(f"/customers/{changed}")
    (link,) = shown.document.xpath("//a[.='What happened here']/@href")
    assert "Customer changed" in browser.get(link).words()
