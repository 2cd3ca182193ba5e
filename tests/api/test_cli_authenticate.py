"""``calib authenticate``: exit codes, and what is named to it that is not what it should be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api import bootstrap
from calib.verifier import apart, standalone
from instruments.errors import Unavailable
from tests.support.terminal import Terminal
from tests.support.vectors import read_vectors
from tests.vectors.parts import AT, TOKEN, TRUST, listed

GOOD = TRUST.canonical().decode()
NO_BUNDLE = {
    "lists in lists": "[" * 100_000,
    "objects in objects": '{"a":' * 100_000,
    "NaN": GOOD.replace('"2026-03-01T00:00:00Z"', "NaN"),
    "a number without end": GOOD.replace('"2026-03-01T00:00:00Z"', "9" * 5000),
    "Infinity": "Infinity",
    "a key twice": GOOD.replace("{", '{"host":"other.example",', 1),
    "a list": "[]",
    "a number": "7",
    "nothing": "",
    "null": "null",
    "half a letter": b"\xe4\xb8",
    "half of a pair": GOOD.replace("lab.example", "\\ud800", 1),
    "another format": GOOD.replace("calib-trust/1", "calib-trust/2"),
    "a root that is none": replace(TRUST, roots=("no root",)).canonical(),
    "an authority that is none": replace(TRUST, time_roots=("no root",)).canonical(),
}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Return a file with a genuine code."""
    (vector,) = [one for one in read_vectors() if one.name == "fail/code-without-status"]
    path = tmp_path / "code.txt"
    path.write_bytes(vector.content)
    return path


def bundle(tmp_path: Path, name: str) -> Path:
    """Return a file with what is no bundle."""
    text = NO_BUNDLE[name]
    path = tmp_path / "trust.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", NO_BUNDLE)
def test_what_is_no_bundle_is_said_to_be_none_and_nothing_of_the_certificate(
    calib: Terminal, tmp_path, code, name
):
    policy = bundle(tmp_path, name)
    assert calib("authenticate", code, "--policy", policy, "--offline", "--json") == 2
    assert json.loads(calib.out)["error"]["code"] == "trust-unreadable"
    assert "trust bundle" in calib.err
    assert "Traceback" not in calib.err


@pytest.mark.parametrize("name", ["lists in lists", "NaN", "a list", "nothing"])
def test_who_watches_a_log_is_told_the_same(calib: Terminal, tmp_path, name):
    trust = bundle(tmp_path, name)
    state = tmp_path / "state"
    assert calib("log", "watch", "http://127.0.0.1:1/log", "--trust", trust, "--state", state) == 1
    assert "trust bundle" in calib.err
    assert "Traceback" not in calib.err
    assert calib("log", "watch", "http://x/log", "--trust", tmp_path / "no", "--state", state) == 3


def test_a_bundle_that_is_not_there_is_wrong_usage(calib: Terminal, tmp_path, code):
    assert calib("authenticate", code, "--policy", tmp_path / "no", "--offline") == 3
    assert "cannot be read" in calib.err


@pytest.mark.parametrize("name", ["lists in lists", "a number", "nothing", "half a letter"])
def test_the_file_that_stands_alone_cannot_tell_either(tmp_path, code, capsys, name):
    policy = bundle(tmp_path, name)
    found = standalone.main([str(policy), str(code)])
    assert found in ((2,) if name != "a number" else (1, 2))
    assert "Traceback" not in capsys.readouterr().err


def test_a_good_bundle_is_taken_and_a_forged_file_told(calib: Terminal, tmp_path, code):
    policy, file = tmp_path / "trust.json", tmp_path / "a.pdf"
    policy.write_text(GOOD)
    file.write_bytes(b"%PDF-1.7\n%%EOF\n")
    assert calib("authenticate", code, "--policy", policy, "--offline") == 2
    assert calib("authenticate", code, file, "--policy", policy, "--offline", "--json") == 2
    first, second = json.loads(calib.out)
    assert first["verdict"] == "cannot_tell"
    assert {one["step"]: one["state"] for one in first["steps"]}["mark"] == "established"
    assert second["verdict"] == "cannot_tell"


@pytest.mark.parametrize("is_old_in_hand", [True, False])
def test_an_older_list_hides_no_withdrawal(
    calib: Terminal, tmp_path, monkeypatch, code, is_old_in_hand
):
    """Whichever of the two lies in hand, the other is what the laboratory hands out."""
    monkeypatch.setattr(bootstrap, "system_clock", lambda: AT)
    old, new = listed({}, issued=AT - timedelta(hours=2)), listed({TOKEN: "withdrawn"})
    given, served = (old, new) if is_old_in_hand else (new, old)
    asked: list[str] = []

    def fetch(path: str) -> bytes:
        asked.append(path)
        return served

    monkeypatch.setattr(bootstrap, "fetch_log", lambda _address: fetch)
    policy, status = tmp_path / "trust.json", tmp_path / "status.txt"
    policy.write_text(GOOD)
    status.write_bytes(given)
    command = ("authenticate", code, "--policy", policy, "--status", status, "--json")
    assert calib(*command) == 1
    assert json.loads(calib.out)[0]["verdict"] == "withdrawn"
    assert "status/list" in asked
    asked.clear()
    assert calib(*command, "--offline") == (0 if is_old_in_hand else 1)
    assert asked == []


def test_a_list_in_hand_counts_where_nobody_answers(calib: Terminal, tmp_path, monkeypatch, code):
    def fetch(_path: str) -> bytes:
        raise Unavailable("log-unreachable", "Nobody answers.")

    monkeypatch.setattr(bootstrap, "system_clock", lambda: AT)
    monkeypatch.setattr(bootstrap, "fetch_log", lambda _address: fetch)
    policy, status = tmp_path / "trust.json", tmp_path / "status.txt"
    policy.write_text(GOOD)
    status.write_bytes(listed({}))
    assert calib("authenticate", code, "--policy", policy, "--status", status) == 0
    assert "The code is genuine, and its certificate stands." in calib.out.decode()
    assert "Genuine, unchanged" not in calib.out.decode()


def test_a_file_that_costs_too_much_is_told_without_a_verdict(
    calib: Terminal, tmp_path, monkeypatch
):
    file = tmp_path / "a.pdf"
    file.write_bytes(b"%PDF-1.7\n")
    monkeypatch.setattr(apart, "_COMMAND", ("false",))
    assert calib("authenticate", file, "--offline", "--json") == 2
    (report,) = json.loads(calib.out)
    assert report["verdict"] == "cannot_tell"
    assert "nothing is known of the file" in report["steps"][0]["detail"]


def test_a_backup_that_says_nothing_of_itself_is_none(calib: Terminal, tmp_path):
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    assert calib("restore", tmp_path, tmp_path / "new") in (1, 3)
    assert "Traceback" not in calib.err
