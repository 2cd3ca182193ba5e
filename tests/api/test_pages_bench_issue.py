"""From review to the public page, by form: who may, what is shown, what never happens twice."""

from __future__ import annotations

import dataclasses
import hashlib
import re

import pytest

from api.pages.rendering import TEMPLATES
from calib.services import lookup, public, readings
from instruments.records.orders import OrderLine
from instruments.services import instruments, labs
from tests.support.benched import a_draft, a_submitted, an_authorised, with_address
from tests.support.builders import a_person, context_for, told
from tests.support.spoken import untranslated
from tests.support.web import Browser, a_sign_in

BASE = "https://calib.example.org"


@pytest.fixture
def world(world):
    with_address(world)
    return world


@pytest.fixture
def app(app):
    # a certificate is only issued under an address strangers can trust
    settings = dataclasses.replace(app.state.wiring.settings, public_url=BASE)
    app.state.wiring = dataclasses.replace(app.state.wiring, settings=settings)
    return app


@pytest.fixture
def somebody(app, world):
    def enter(*roles, **more) -> Browser:
        return Browser(app, a_sign_in(world, *roles, **more))

    return enter


@pytest.fixture
def issued(somebody, world) -> lookup.CertificateView:
    id_ = an_authorised(world, a_person(world.engine, world.lab_id, name="Sun"))
    somebody("signatory").post(
        f"/calibrations/{id_}/issue", version=version_of(world, id_), key="key-of-the-issue"
    )
    return certificates_of(world)[0]


def version_of(world, id_: int) -> int:
    with context_for(world, read_only=True) as ctx:
        return readings.get_calibration(ctx, id_).version


def state_of(world, id_: int) -> str:
    with context_for(world, read_only=True) as ctx:
        return readings.get_calibration(ctx, id_).state


def certificates_of(world) -> tuple[lookup.CertificateView, ...]:
    with context_for(world, read_only=True) as ctx:
        return lookup.certificates(ctx)


def test_the_reviewer_sees_result_budget_and_history(somebody, world) -> None:
    id_ = a_submitted(world)
    page = somebody("reviewer").get(f"/calibrations/{id_}")
    assert page.document.xpath("//table[contains(@class,'results')]//tbody/tr")
    assert len(page.document.xpath("//details[@class='budget']")) == 3
    assert page.document.xpath("//details[@class='budget']//*[local-name()='rect'][@width]")
    assert "Mark as reviewed" in page.words()


def test_review_authorise_issue_once_however_often_the_button_is_pressed(somebody, world) -> None:
    id_ = a_submitted(world)
    reviewer, signatory = somebody("reviewer"), somebody("signatory")
    reviewer.post(f"/calibrations/{id_}/review", version=version_of(world, id_), comment="sound")
    assert state_of(world, id_) == "reviewed"
    signatory.post(f"/calibrations/{id_}/authorise", version=version_of(world, id_))
    page = signatory.get(f"/calibrations/{id_}")
    fields = {
        name: page.document.xpath(
            f"//form[contains(@action,'/issue')]//input[@name='{name}']/@value"
        )[0]
        for name in ("version", "key")
    }
    first = signatory.post(f"/calibrations/{id_}/issue", **fields)
    second = signatory.post(f"/calibrations/{id_}/issue", **fields)
    assert first.location == second.location
    assert [c.state for c in certificates_of(world)] == ["issued"]
    assert "sound" in signatory.get(f"/calibrations/{id_}").words()


def test_whoever_measured_is_told_to_ask_a_colleague(somebody, world) -> None:
    id_ = a_submitted(world)
    with context_for(world, read_only=True) as ctx:
        version = readings.get_calibration(ctx, id_).version
    everyone = somebody()
    everyone.client.post(
        f"/calibrations/{id_}/give-back", data={"version": version, "reason": "once more"}
    )
    assert state_of(world, id_) == "draft"
    everyone.post(f"/calibrations/{id_}/submit", version=version_of(world, id_))
    page = everyone.get(f"/calibrations/{id_}")
    assert "a colleague has to go on" in page.words()
    assert not page.document.xpath("//form[contains(@action,'/review')]")
    refused = everyone.post(f"/calibrations/{id_}/review", version=version_of(world, id_))
    assert refused.status == 422
    assert state_of(world, id_) == "submitted"


def test_what_is_given_back_names_who_and_why(somebody, world) -> None:
    id_ = a_submitted(world)
    reviewer = somebody("reviewer")
    refused = reviewer.post(
        f"/calibrations/{id_}/give-back", version=version_of(world, id_), reason=" "
    )
    assert refused.problem("reason")
    reviewer.post(
        f"/calibrations/{id_}/give-back", version=version_of(world, id_), reason="37.0 once more"
    )
    page = somebody("technician").get(f"/calibrations/{id_}")
    assert "Given back by Zhou Min 37.0 once more" in page.words()


def test_an_old_version_is_refused(somebody, world) -> None:
    id_ = a_submitted(world)
    reviewer = somebody("reviewer")
    seen = version_of(world, id_)
    reviewer.post(f"/calibrations/{id_}/review", version=seen)
    again = reviewer.post(f"/calibrations/{id_}/review", version=seen)
    assert again.status == 422
    assert state_of(world, id_) == "reviewed"


def test_the_preview_takes_no_number(somebody, world) -> None:
    id_ = a_submitted(world)
    reviewer = somebody("reviewer")
    answer = reviewer.client.get(f"/calibrations/{id_}/preview.pdf")
    assert answer.content.startswith(b"%PDF")
    assert reviewer.client.get(f"/calibrations/{id_}/preview-1.png").content[1:4] == b"PNG"
    assert certificates_of(world) == ()


def test_what_would_stop_the_issue_is_told_before(somebody, world, tmp_path) -> None:
    id_ = a_submitted(world)
    reviewer = somebody("reviewer")
    assert "What would stop the issue" not in reviewer.get(f"/calibrations/{id_}").words()
    with context_for(world) as ctx:
        labs.update_lab(ctx, address_en="", address_zh="")
    assert "What would stop the issue" in reviewer.get(f"/calibrations/{id_}").words()


def test_the_certificate_page_hands_out_its_files(somebody, issued) -> None:
    signatory = somebody("signatory")
    page = signatory.get(f"/certificates/{issued.id}")
    assert f"calib compute {issued.number}-input.json" in page.words()
    for file in issued.files:
        answer = signatory.client.get(f"/certificates/{issued.id}/{file.role}")
        assert hashlib.sha256(answer.content).hexdigest() == file.sha256
        how = answer.headers["content-disposition"]
        assert how.startswith("inline" if file.role == "pdf" else "attachment")


def test_labels_come_single_or_as_a_sheet(somebody, issued) -> None:
    technician = somebody("technician")
    assert "Fit for use" in technician.get(f"/certificates/labels?id={issued.id}").words()
    for sheet in ("single", "sheet"):
        answer = technician.client.get(f"/certificates/labels.pdf?id={issued.id}&sheet={sheet}")
        assert answer.content.startswith(b"%PDF"), sheet


def test_several_certificates_are_listed_for_printing(somebody, issued) -> None:
    page = somebody("technician").get(f"/certificates/print?id={issued.id}&id={issued.id}")
    assert page.document.xpath("//main//li/a/@href") == [f"/certificates/{issued.id}/pdf"]


def test_amending_opens_a_record_and_withdrawing_takes_two(somebody, world, issued) -> None:
    signatory = somebody("signatory")
    opened = signatory.post(f"/certificates/{issued.id}/amend", reason="wrong asset number")
    assert opened.location.startswith("/calibrations/")
    assert "wrong asset number" in signatory.get(opened.location).words()
    alone = signatory.post(f"/certificates/{issued.id}/withdraw", reason="standard was broken")
    assert alone.problem("second_person_id")
    second = a_person(world.engine, world.lab_id, name="Ren")
    done = signatory.post(
        f"/certificates/{issued.id}/withdraw",
        reason="standard was broken",
        second_person_id=str(second),
    )
    assert done.location == f"/certificates/{issued.id}?done=withdrawn"
    page = signatory.get(f"/certificates/{issued.id}")
    assert "Withdrawn: standard was broken" in page.words()


def test_a_stranger_sees_both_languages_and_no_customer(app, issued) -> None:
    page = Browser(app).get(f"/c/{issued.token}")
    words = page.words()
    assert page.status == 200
    assert "有效" in words
    assert "Valid" in words
    assert "未" in words  # no seal, said in both languages
    assert "bears no electronic seal" in words
    assert "Station" not in words
    assert "车站" not in words
    assert "SHA-256" in words
    assert Browser(app).client.get(f"/c/{issued.token}/certificate.pdf").status_code == 404


def test_the_page_of_a_stranger_has_every_sentence_in_both_languages() -> None:
    said = [
        sentence
        for file in sorted((TEMPLATES / "public").glob("*.html"))
        for sentence in re.findall(r'both\("([^"]*)"', file.read_text("utf-8"))
    ]
    groups = (public.STATE_WORDS, public.VERDICT_WORDS, public.KIND_WORDS)
    said += [words for group in groups for words in group.values()]
    assert len(said) > 30
    assert untranslated([*said, public.EXPIRED_WORDS, public.UNSIGNED_WORDS]) == ()


def test_a_withdrawn_certificate_says_so_to_everybody(app, somebody, world, issued) -> None:
    second = a_person(world.engine, world.lab_id, name="Ren")
    somebody("signatory").post(
        f"/certificates/{issued.id}/withdraw", reason="wrong", second_person_id=str(second)
    )
    words = Browser(app).get(f"/c/{issued.token}").words()
    assert "已作废" in words
    assert "Withdrawn on 2 March 2026" in words


@pytest.mark.parametrize("token", ["AAAAAAAAAAAAAAAAAAAAAA", "x", "%00", "a" * 500])
def test_every_other_code_gives_one_answer(app, token) -> None:
    pages = [Browser(app).client.get(f"/c/{t}") for t in (token, "BBBBBBBBBBBBBBBBBBBBBB")]
    assert [page.status_code for page in pages] == [404, 404]
    assert pages[0].text == pages[1].text


def test_the_board_of_a_venue(app, somebody, world, issued) -> None:
    with context_for(world, read_only=True) as ctx:
        owner = instruments.get_instrument(ctx, issued.instrument_id).customer_id
    operator = somebody("venue_operator", customer_id=owner)
    page = operator.get("/board")
    items = page.document.xpath("//ul[@class='board']/li")
    assert [item.get("class") for item in items] == ["green"]
    assert f"Passed ({issued.number})" in page.words()
    assert page.document.xpath("//ul[@class='board']//a[starts-with(@href,'/c/')]")
    feed = page.document.xpath("//a[contains(@href,'/calendar/')]/@href")[0]
    answer = app_get(app, feed)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "BEGIN:VCALENDAR" in answer.text
    assert operator.get("/board/wall").document.xpath("//table[@class='wall']/tbody/tr")


def app_get(app, address: str):
    return Browser(app).client.get(address.removeprefix(BASE))


def test_an_unknown_calendar_is_not_found(app) -> None:
    assert Browser(app).client.get("/calendar/AAAAAAAAAAAAAAAAAAAAAA.ics").status_code == 404


def test_staff_choose_whose_board_they_look_at(somebody, world) -> None:
    a_draft(world)
    page = somebody("technician").get("/board")
    assert len(page.document.xpath("//select[@name='customer_id']/option")) == 3
    one = somebody("technician").get("/board?customer_id=1")
    assert len(one.document.xpath("//ul[@class='board']/li")) == 1
    red = somebody("technician").get("/board?customer_id=1&colour=green")
    assert red.document.xpath("//ul[@class='board']/li") == []


def test_an_operator_sees_only_issued_certificates_of_their_own(somebody, issued) -> None:
    other = somebody("venue_operator", customer_id=1)
    assert other.get("/certificates").document.xpath("//tbody/tr") == []
    assert other.get(f"/certificates/{issued.id}").status == 404


def test_a_doubt_about_the_paper_is_told_before_it_is_issued(somebody, world) -> None:
    id_ = a_submitted(world)
    reviewer = somebody("reviewer")
    assert "To be looked at before the issue" not in reviewer.get(f"/calibrations/{id_}").words()
    with context_for(world) as ctx:
        line = readings.get_calibration(ctx, id_).order_line_id
        ctx.session.get_one(OrderLine, line).condition = " "
        told(ctx.session)
    page = reviewer.get(f"/calibrations/{id_}").words()
    assert "To be looked at before the issue" in page
    assert "The condition of the item on receipt is not recorded." in page
    assert "What would stop the issue" not in page


def test_a_certificate_being_amended_leads_to_the_amending_record(somebody, issued) -> None:
    signatory = somebody("signatory")
    path = f"/certificates/{issued.id}"
    opened = signatory.post(f"{path}/amend", reason="wrong serial number")
    page = signatory.get(path)
    assert "An amendment is in work" in page.words()
    assert page.document.xpath("//a[@href=$to]", to=opened.location)
    assert not page.document.xpath("//form[@action=$to]", to=f"{path}/amend")
