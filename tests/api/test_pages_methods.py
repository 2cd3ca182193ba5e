"""The pages of methods: changed figures, errors beside them, two persons, both languages."""

from __future__ import annotations

import re
import tomllib

import pytest

from calib.services import dry_run
from instruments.services import methods
from instruments.services.method_views import get_method, list_methods
from tests.support import issuing
from tests.support import methods as a
from tests.support.builders import context_for
from tests.support.door import a_door
from tests.support.web import Browser, a_sign_in

FOREHEAD = "thermometer.infrared_forehead"
LOGGER = "logger.cold_chain"


@pytest.fixture
def writer(world, app):
    return Browser(app, a_sign_in(world, "technician"))


@pytest.fixture
def manager(world, app):
    return Browser(app, a_sign_in(world, "manager"))


def copied(browser, type_id=FOREHEAD):
    page = browser.post("/methods/copy", type_id=type_id)
    assert page.status == 303, page.words()
    return page.location.partition("?")[0]


def method_of(world, method_id=1):
    with context_for(world, read_only=True) as ctx:
        return get_method(ctx, method_id)


def the_form(page, end):
    """Return the fields of one form of the page."""
    found = page.document.xpath(f"//form[contains(@action, '{end}')]")[0]
    return {
        **{i.get("name"): i.get("value", "") for i in found.xpath(".//input[@name]")
           if i.get("type") != "checkbox"},
        **{t.get("name"): (t.text or "").lstrip("\n") for t in found.xpath(".//textarea[@name]")},
        **{
            s.get("name"): (s.xpath("./option[@selected]/@value") or s.xpath("./option/@value"))[0]
            for s in found.xpath(".//select[@name]")
        },
    }  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("type_id", [FOREHEAD, LOGGER, "monitor.patient", "pump.infusion_syringe"])
def test_every_page_opens_in_both_languages_with_a_label_for_every_field(
    world, app, writer, language, type_id
):
    edit = copied(writer, type_id)
    browser = Browser(app, a_sign_in(world), language)
    base = edit.removesuffix("/edit")
    for path in ("/methods", base, edit, f"{base}/dry-run"):
        page = browser.get(path)
        assert page.status == 200, (path, page.words()[:400])
        assert len(page.document.xpath("//h1")) == 1
        ids = page.document.xpath("//@id")
        assert len(ids) == len(set(ids)), path
        labels = set(page.document.xpath("//label/@for"))
        fields = "//main//input[not(@type='hidden')]|//main//select|//main//textarea"
        for field in page.document.xpath(fields):
            named = field.get("aria-label") or field.get("id") in labels
            assert named, (path, field.get("name"))


def test_nothing_changes_when_the_form_is_sent_as_it_is(world, writer):
    for number, type_id in enumerate((FOREHEAD, LOGGER, "monitor.patient"), start=1):
        edit = copied(writer, type_id)
        before = method_of(world, number)
        sent = the_form(writer.get(edit), "/figures")
        page = writer.post(edit.replace("edit", "figures"), **sent)
        assert page.status == 303, page.words()[:400]
        assert method_of(world, number).text == before.text


def test_figures_typed_into_the_form_stand_in_the_text(world, writer):
    edit = copied(writer)
    page = writer.get(edit)
    sent = the_form(page, "/figures") | {
        "measurands/0/points/default": "35.0, 37.0 41.0",
        "measurands/0/points/readings": "6",
        "environment/0/low": "18",
        "acclimatisation_minutes": "45",
        "measurands/0/limits/0/end": "44.9",
        "measurands/0/limits/-1/lower": "-0.9",
        "measurands/0/limits/-1/upper": "0.9",
        "measurands/0/limits/-1/start": "45",
        "measurands/0/limits/-1/document": "JJF 1107-2003",
        "measurands/0/limits/-1/confidence": "BG",
    }
    assert writer.post(edit.replace("edit", "figures"), **sent).status == 303
    found = method_of(world).definition
    assert found is not None, method_of(world).findings
    points = found.measurands[0].points
    assert (points.default, points.readings) == (("35.0", "37.0", "41.0"), 6)
    assert found.environment[0].low == "18"
    assert found.acclimatisation_minutes == 45
    assert found.measurands[0].limits[-1].upper == "0.9"
    words = writer.get(edit.removesuffix("/edit")).words()
    assert "35.0, 37.0, 41.0" in words
    assert "changed" in words


def test_what_is_wrong_stands_beside_its_field_with_the_line(world, writer):
    edit = copied(writer)
    sent = the_form(writer.get(edit), "/figures") | {"measurands/0/components/0/source": "x"}
    place = next(name for name in sent if name.endswith("half_width"))
    page = writer.post(edit.replace("edit", "figures"), **sent | {place: "wide"})
    assert page.status == 303
    page = writer.get(edit)
    line = method_of(world).text.splitlines().index('half_width = "wide"') + 1
    assert f"line {line}," in page.problem(place)
    assert page.document.xpath(f"//*[@id='{place}']/@value") == ["wide"]
    shown = writer.get(edit.removesuffix("/edit"))
    assert "The text has 1 errors" in shown.words()
    assert not shown.document.xpath("//form[contains(@action, '/submit')]")


def test_a_count_that_is_none_keeps_everything_typed(world, writer):
    edit = copied(writer)
    sent = the_form(writer.get(edit), "/figures") | {
        "measurands/0/points/readings": "many",
        "environment/0/low": "18",
    }
    page = writer.post(edit.replace("edit", "figures"), **sent)
    assert page.status == 422
    assert "whole number" in page.problem("measurands/0/points/readings")
    for name in ("measurands/0/points/readings", "environment/0/low"):
        assert page.document.xpath(f"//*[@id='{name}']/@value") == [sent[name]]
    assert method_of(world).version == 1


def test_a_limit_is_taken_out(world, writer):
    edit = copied(writer, LOGGER)
    before = tomllib.loads(method_of(world).text)["measurands"][0]["limits"]
    sent = the_form(writer.get(edit), "/figures") | {"remove/measurands/0/limits/0": "1"}
    writer.post(edit.replace("edit", "figures"), **sent)
    after = tomllib.loads(method_of(world).text)["measurands"][0].get("limits", [])
    assert after == before[1:]


def test_a_broken_text_is_kept_and_shown_with_its_line(world, writer):
    edit = copied(writer)
    text = method_of(world).text + "\nnonsense =\n"
    page = writer.post(edit.replace("edit", "text"), version="1", text=text)
    assert page.status == 303
    page = writer.get(edit)
    assert method_of(world).text == text
    assert "this is no TOML" in page.problem("text")
    assert not page.document.xpath("//form[contains(@action, '/figures')]")
    assert "nonsense =" in page.document.xpath("//textarea")[-1].text


def test_a_refused_text_is_still_in_the_form(world, writer):
    edit = copied(writer)
    writer.post(edit.replace("edit", "text"), version="1", text=method_of(world).text + "\n# a\n")
    page = writer.post(edit.replace("edit", "text"), version="1", text="# mine\nschema = 2\n")
    assert page.status == 422
    assert "changed by somebody else" in page.words()
    assert "# mine" in page.document.xpath("//textarea")[-1].text
    again = the_form(page, "/text")
    assert again["version"] == "2"


def test_two_persons_bring_a_method_into_use(world, writer, manager):
    base = copied(writer).removesuffix("/edit")
    refused = writer.post(f"{base}/submit", version="1", reason="")
    assert refused.status == 422
    assert refused.problem("reason")
    assert writer.post(f"{base}/submit", version="1", reason="our bath").status == 303
    assert "another manager or signatory" in writer.get(base).words()
    assert writer.post(f"{base}/approve", version="2").status == 403
    page = manager.get(base)
    assert "our bath" in page.words()
    assert "0 of 0 results compared" in page.words()
    assert manager.post(f"{base}/return", version="2", remark="more points").status == 303
    assert "more points" in writer.get(base).words()
    assert writer.post(f"{base}/submit", version="3", reason="more points").status == 303
    assert manager.post(f"{base}/approve", version="4", approval="good").status == 303
    assert "In use" in manager.get("/methods").words()
    with context_for(world, read_only=True) as ctx:
        assert list_methods(ctx)[0].is_in_force
    assert manager.post(f"{base}/withdraw", version="5", withdrawal="").status == 422
    assert manager.post(f"{base}/withdraw", version="5", withdrawal="a slip").status == 303
    assert "Out of use" in manager.get("/methods").words()


def test_the_pages_of_the_lab_work_by_its_method(world, app, writer, manager):
    with context_for(world) as ctx:
        made = methods.copy_type(ctx, FOREHEAD, world.catalogue)
        text = made.text.replace('zh = "', 'zh = "本所', 1).replace('en = "', 'en = "House ', 1)
        made = methods.save_text(ctx, made.id, made.version, text)
        dry_run.submit(ctx, made.id, made.version, "why", world.catalogue)
    assert manager.post("/methods/1/approve", version="3").status == 303
    for path in ("/models", "/models/1", "/instruments/1", "/lab/scope", "/board"):
        assert "House " in Browser(app, a_sign_in(world)).get(path).text, path


def test_a_file_goes_out_and_comes_in(world, writer):
    base = copied(writer).removesuffix("/edit")
    answer = writer.client.get(f"{base}/export")
    assert answer.headers["content-disposition"].endswith(f"{FOREHEAD}-1.toml")
    assert answer.text == world.catalogue.text_of(FOREHEAD)
    refused = writer.post("/methods/import", {"file": ("a.toml", b"schema = 2\n")})
    assert refused.status == 422
    assert re.search(r"a\.toml, line \d+", refused.words())
    text = answer.text.replace(FOREHEAD, "thermometer.house")
    done = writer.post("/methods/import", {"file": ("a.toml", text.encode())})
    assert done.location == "/methods/2/edit?done=created"


def test_a_venue_operator_sees_no_method(world, app, writer):
    base = copied(writer).removesuffix("/edit")
    browser = Browser(app, a_sign_in(world, "venue_operator", customer_id=1))
    for path in ("/methods", base, f"{base}/edit", f"{base}/dry-run", f"{base}/export"):
        assert browser.get(path).status == 403, path
    assert browser.post("/methods/copy", type_id=LOGGER).status == 403
    assert "/methods" not in browser.get("/board").document.xpath("//nav//a/@href")


def test_the_dry_run_names_certificates_verdicts_and_reasons(tmp_path):
    door = a_door(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}", tmp_path)
    bench = door.bench
    first = issuing.issued(bench, door.store, issuing.authorised(bench))
    issuing.submitted(bench)
    made = a.a_draft(bench, changes={"/measurands/0/components/3/half_width": "0.05"})
    for language, changes_word in (("en", "The result changes"), ("zh", "结果改变")):
        browser = Browser(door.app, door.token(bench.technician), language)
        page = browser.get(f"/methods/{made.id}/dry-run")
        assert page.status == 200
        assert first.number in page.words()
        assert page.words().count(changes_word) >= 2
        assert page.document.xpath("//main//a[starts-with(@href, '/certificates/')]")
    with bench.as_(bench.technician) as ctx:
        methods.change_figures(ctx, made.id, made.version, {"/measurands/0/points/minimum": 5})
    page = Browser(door.app, door.token(bench.technician)).get(f"/methods/{made.id}/dry-run")
    assert "Cannot be evaluated" in page.words()
    assert "at least 5 are needed" in page.words()
    bench.engine.dispose()


def test_an_act_nobody_knows_is_refused(world, writer):
    copied(writer)
    assert writer.post("/methods/1/forget", version=1).status == 422
    assert method_of(world).line.state == "draft"
