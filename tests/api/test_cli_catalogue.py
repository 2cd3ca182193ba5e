"""``calib catalogue``: list, show, check, compare, and confirm a limit at a terminal."""

from __future__ import annotations

import json
import tomllib

import pytest

from instruments.catalogue.figures import open_figures
from instruments.catalogue.loader import load_catalogue

ELECTRONIC = "thermometer.medical_electronic"
EAR = "thermometer.infrared_ear"
VERSION = load_catalogue().get(EAR).version


@pytest.fixture
def people(door_at_terminal):
    door = door_at_terminal
    return {name: door.token(getattr(door.bench, name)) for name in ("signatory", "technician")}


def test_all_types_are_listed_without_a_database(calib, tmp_path):
    rows = calib.asked("catalogue", "list")
    known = load_catalogue().list()
    assert [(row["id"], row["version"]) for row in rows] == [(t.id, t.version) for t in known]
    assert not (tmp_path / "data").exists()
    assert calib("catalogue", "list") == 0
    assert len(calib.out.decode().splitlines()) == len(known)


def test_all_types_are_checked_and_summed(calib):
    document = calib.asked("catalogue", "check")
    assert (document["types"], document["errors"]) == (len(load_catalogue()), 0)
    assert document["types"] >= 30
    for tag, total in document["figures"].items():
        assert total == sum(row["figures"][tag] for row in document["by_type"])
    for row in document["by_type"]:
        assert len(row["open"]) == row["figures"]["BG"]
    assert calib("catalogue", "check") == 0
    last = calib.out.decode().splitlines()[-1]
    assert last.startswith(f"{document['types']} types, 0 errors; figures: V ")


def test_what_is_open_is_listed_with_its_place(calib):
    document = calib.asked("catalogue", "check")
    assert calib("catalogue", "check", "--open") == 0
    lines = [line for line in calib.out.decode().splitlines() if line.startswith("    BG")]
    assert len(lines) == document["figures"]["BG"]
    assert any("GB/T 21416-2008" in line and "Limit" in line for line in lines)


def test_a_file_is_checked_by_line_and_key(calib, tmp_path):
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    text = load_catalogue().text_of(EAR)
    good.write_text(text, "utf-8")
    bad.write_text(text.replace('half_width = "0.05"', "half_width = 0.05", 1), "utf-8")
    assert calib("catalogue", "check", good) == 0
    assert calib.out.decode().splitlines()[-1].startswith("1 types, 0 errors")
    assert calib("catalogue", "check", good, bad, tmp_path / "none.toml") == 1
    assert f"{bad}, line " in calib.err
    assert "half_width: the number must be text in quotes" in calib.err
    assert f"{tmp_path / 'none.toml'} cannot be read" in calib.err
    assert "2 errors" in calib.out.decode().splitlines()[-1]
    assert calib("catalogue", "check", bad, "--json") == 1
    (found,) = json.loads(calib.out)["findings"]
    assert found["code"] == "type-number-not-text"


@pytest.mark.parametrize(("lang", "word"), [("en", "Error of indication"), ("zh", "示值误差")])
def test_a_type_is_shown_with_tags_and_sources(calib, lang, word):
    assert calib("catalogue", "show", EAR, "--lang", lang) == 0
    text = calib.out.decode()
    type_ = load_catalogue().get(EAR)
    assert word in text
    for document in type_.documents:
        assert document.id in text
        assert document.source in text
    for component in type_.measurands[0].components:
        assert f"{component.id}  {component.name.text(lang)}" in text
    assert text.count("[V2]") == 6
    assert calib("catalogue", "show", EAR, "--lang", "fr") == 3


def test_every_type_can_be_shown(calib):
    for type_ in load_catalogue().list():
        assert calib("catalogue", "show", type_.id) == 0, type_.id
        assert all(m.name.en in calib.out.decode() for m in type_.measurands)


def test_the_file_of_a_type_is_printed_as_it_is(calib):
    assert calib("catalogue", "show", EAR, "--toml") == 0
    assert calib.out.decode() == load_catalogue().text_of(EAR)
    assert tomllib.loads(calib.out.decode())["id"] == EAR
    assert calib("catalogue", "show", "thermometer.nowhere") == 1
    assert "Nearest in name: " in calib.err
    assert calib.err.count(",") == 2
    assert "named with its ending .toml" in calib.err


def a_file(tmp_path, *, rename: bool = False):
    file = tmp_path / "mine.toml"
    text = load_catalogue().text_of(EAR)
    file.write_text(text.replace(EAR, "acme.ear", 1) if rename else text, "utf-8")
    return file


def test_a_file_is_shown_and_simulated_before_it_is_anywhere(calib, tmp_path):
    file = a_file(tmp_path, rename=True)
    assert calib("catalogue", "show", file) == 0
    assert calib.out.decode().startswith(f"acme.ear {VERSION}")
    assert calib("catalogue", "show", file, "--toml") == 0
    assert calib.out.decode() == file.read_text("utf-8")
    assert calib("simulate", file, "--out", tmp_path / "out.jsonl") == 0
    plain = json.loads((tmp_path / "out.jsonl").read_bytes())
    assert plain["input"]["definition"]["id"] == "acme.ear"
    assert calib("simulate", tmp_path / "none.toml") == 3
    assert "cannot be read" in calib.err


def test_the_draft_of_a_lab_is_shown_and_simulated(calib, people, tmp_path):
    token = ("--token", people["signatory"])
    file = a_file(tmp_path, rename=True)
    assert calib("method", "import", file, *token) == 0, calib.err
    for asked in ("acme.ear", "acme.ear@draft"):
        assert calib("catalogue", "show", asked, *token) == 0
        assert calib.out.decode().startswith(f"acme.ear {VERSION}+lab.1")
        assert "nobody has approved it yet" in calib.err
    assert calib("simulate", "acme.ear", *token, "--out", tmp_path / "out.jsonl") == 0
    assert f"{VERSION}+lab.1".encode() in (tmp_path / "out.jsonl").read_bytes()
    assert calib("catalogue", "show", "acme.ear") == 1


def test_who_confirmed_a_limit_is_shown_with_it(calib, people):
    token = ("--token", people["signatory"])
    figure = open_figures(load_catalogue().get(ELECTRONIC))[0]
    calib("catalogue", "confirm", ELECTRONIC, figure.digest[:12], *token,
          "--document", figure.limit.document, "--clause", "Table 1")  # fmt: skip
    assert calib("catalogue", "show", ELECTRONIC, *token) == 0
    (line,) = [one for one in calib.out.decode().splitlines() if "confirmed by" in one]
    assert f"against {figure.limit.document} Table 1]" in line
    assert calib("catalogue", "show", ELECTRONIC) == 0
    assert "confirmed by" not in calib.out.decode()


def test_limits_that_are_open_are_told_apart(calib):
    assert calib("catalogue", "check", "--open") == 0
    of_type: list[str] = []
    for line in calib.out.decode().splitlines():
        if not line.startswith("    BG"):
            of_type = []
        elif line.startswith("    BG  Limit"):
            assert line not in of_type
            of_type.append(line)
    assert "  Limit  " in calib.out.decode()


def test_a_changed_file_is_compared_with_the_known_type(calib, tmp_path):
    file = tmp_path / "mine.toml"
    text = load_catalogue().text_of(EAR).replace('upper = "0.2"', 'upper = "0.3"', 1)
    file.write_text(text, "utf-8")
    assert calib("catalogue", "diff", file, "--lang", "en") == 0
    said = "Error of indication · [35, 42]: upper limit changed from 0.2 to 0.3"
    assert said in calib.out.decode()
    (one,) = calib.asked("catalogue", "diff", EAR, file)
    assert one["en"] == said
    assert one["zh"] == "示值误差 · [35, 42]：上限由 0.2 改为 0.3"
    assert one["measurand"] == "temperature"
    assert calib.asked("catalogue", "diff", EAR, f"{EAR}@1.1.0") == []
    file.write_text("schema = 9", "utf-8")
    assert calib("catalogue", "diff", file) == 1


def test_a_limit_is_confirmed_and_revoked_at_the_terminal(calib, people, monkeypatch):
    monkeypatch.setenv("CALIB_TOKEN", people["signatory"])
    before = calib.asked("catalogue", "open", ELECTRONIC)
    wanted = {one.digest for one in open_figures(load_catalogue().get(ELECTRONIC))}
    assert {one["figure"] for one in before} == wanted
    figure = before[0]["figure"][:12]
    given = (ELECTRONIC, figure, "--clause", "Table 1", "--on", "2026-02-27", "--document")
    assert calib("catalogue", "confirm", *given, "GB/T 21416-2024") == 1
    assert "this limit is that of GB/T 21416-2008" in calib.err
    made = calib.asked("catalogue", "confirm", *given, "GB/T 21416-2008")
    assert (made["person_name"], made["confirmed_on"]) == ("Sun", "2026-02-27")
    lab = calib.asked("catalogue", "check")["lab"]
    assert [one["figure"] for one in lab["confirmed"]] == [before[0]["figure"]]
    assert calib("catalogue", "check") == 0
    assert "1 confirmed here" in calib.out.decode()
    assert len(calib.asked("catalogue", "open", ELECTRONIC)) == len(before) - 1
    assert calib("catalogue", "revoke", ELECTRONIC, figure, "--reason", "wrong table") == 0
    assert len(calib.asked("catalogue", "open", ELECTRONIC)) == len(before)


@pytest.mark.parametrize("figure", ["", "0123", "f" * 64])
def test_a_figure_must_be_named_well_enough(calib, people, figure):
    given = ("--document", "GB/T 21416-2008", "--clause", "1", "--token", people["signatory"])
    assert calib("catalogue", "confirm", ELECTRONIC, figure, *given) == 3
    assert "calib catalogue open" in calib.err


def test_a_technician_may_look_and_not_confirm(calib, people):
    token = ("--token", people["technician"])
    figure = calib.asked("catalogue", "open", ELECTRONIC, *token)[0]["figure"]
    given = ("--document", "GB/T 21416-2008", "--clause", "1", *token)
    assert calib("catalogue", "confirm", ELECTRONIC, figure, *given) == 1
    assert "role" in calib.err
    assert calib("catalogue", "open") == 3


def test_a_day_is_written_in_one_way_and_does_not_lie_ahead(calib, people):
    figure = open_figures(load_catalogue().get(ELECTRONIC))[0]
    named = ("--document", figure.limit.document, "--clause", "Table 1")
    token = ("--token", people["signatory"])
    given = ("catalogue", "confirm", ELECTRONIC, figure.digest[:12], *named, *token, "--on")
    assert calib(*given, "20.11.2026") == 3
    assert "Write year, month and day as 2026-02-27." in calib.err
    assert calib(*given, "2999-01-01") == 1
    assert "where the laboratory is" in calib.err
