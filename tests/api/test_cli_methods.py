"""``calib method``: the path from a copy to its use at a terminal."""

from __future__ import annotations

import json

import pytest

from tests.support import issuing
from tests.support.door import Door
from tests.support.issuing import PROBE


@pytest.fixture
def bench(door_at_terminal: Door) -> Door:
    return door_at_terminal


def test_a_method_at_the_terminal(calib, bench, tmp_path, monkeypatch):
    people = bench.bench
    writer, second = bench.token(people.technician), bench.token(people.signatory)
    issuing.submitted(people)
    monkeypatch.setenv("CALIB_TOKEN", writer)
    assert calib.asked("method", "copy", PROBE)["state"] == "draft"
    file = tmp_path / "probe.toml"
    assert calib("method", "export", 1, "--to", file) == 0
    text = file.read_text("utf-8")
    assert text == people.catalogue.text_of(PROBE)

    file.write_text(text.replace('half_width = "0.010"', 'half_width = "wide"', 1), "utf-8")
    assert calib("method", "edit", 1, file) == 1
    assert "probe" in calib.err
    assert calib("method", "check", 1, "--json") == 1
    (found,) = json.loads(calib.out)
    assert found["at"] == "/measurands/0/components/3/half_width"
    assert calib("method", "dry-run", 1) == 1
    assert calib("method", "submit", 1, "--reason", "why", "--json") == 1
    assert json.loads(calib.out)["error"]["code"] == "method-has-errors"

    file.write_text(text.replace('half_width = "0.010"', 'half_width = "0.050"', 1), "utf-8")
    assert calib("method", "edit", 1, file) == 0
    assert calib("method", "check", 1) == 0
    tried = calib.asked("method", "dry-run", 1)
    assert tried["counts"] == {"flipped": 0, "not_evaluable": 0, "changed": 1, "same": 0}
    assert calib("method", "dry-run", 1) == 0
    assert "1 of 1 results compared" in calib.out.decode()
    assert calib("method", "submit", 1, "--reason", "our bath") == 0
    assert calib("method", "approve", 1) == 1

    monkeypatch.setenv("CALIB_TOKEN", second)
    assert calib("method", "return", 1, "--reason", "say more") == 0
    assert calib("method", "submit", 1, "--reason", "our bath, measured", "--token", writer) == 0
    assert calib("method", "approve", 1, "--remark", "good") == 0
    shown = calib.asked("method", "show", 1)
    assert shown["is_in_force"]
    assert [one["words"] for one in shown["changes"]]
    assert [one["state"] for one in calib.asked("method", "list")] == ["approved"]
    assert calib("method", "withdraw", 1, "--reason", "a slip") == 0
    assert calib("method", "list") == 0
    assert "withdrawn" in calib.out.decode()


def test_a_new_type_is_imported(calib, bench, tmp_path):
    token = bench.token(bench.bench.technician)
    file = tmp_path / "house.toml"
    text = bench.bench.catalogue.text_of(PROBE).replace(PROBE, "thermometer.house")
    file.write_text(text, "utf-8")
    made = calib.asked("method", "import", file, "--token", token)
    assert (made["type_id"], made["based_on"]) == ("thermometer.house", "")
    file.write_bytes(b"\xff")
    assert calib("method", "import", file, "--token", token, "--json") == 1
    assert json.loads(calib.out)["error"]["code"] == "method-file-unreadable"


def test_an_import_of_a_known_type_says_what_it_changes(calib, bench, tmp_path):
    token = ("--token", bench.token(bench.bench.technician))
    file = tmp_path / "probe.toml"
    text = bench.bench.catalogue.text_of(PROBE)
    file.write_text(text.replace('half_width = "0.010"', 'half_width = "0.050"', 1), "utf-8")
    assert calib("catalogue", "check", file) == 0
    assert "is there already and says otherwise in 1 places" in calib.err
    assert calib("method", "import", file, *token) == 0
    assert f"1 changes from {PROBE} " in calib.err
    assert "0.050" in calib.err


def test_a_draft_is_not_approved_and_is_told_what_comes_first(calib, bench):
    people = bench.bench
    assert calib("method", "copy", PROBE, "--token", bench.token(people.technician)) == 0
    assert calib("method", "approve", 1, "--token", bench.token(people.signatory)) == 1
    assert "A draft is submitted first" in calib.err
