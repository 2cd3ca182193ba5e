"""Methods through the JSON doors: versions, keys, two persons, what is wrong with its line."""

from __future__ import annotations

import re

import pytest

from tests.house.source import ROOT
from tests.support.door import a_key, problem_of, seen
from tests.support.issuing import PROBE

POINTS = {"/measurands/0/points/default": ["0", "50", "100"], "/measurands/0/points/readings": 6}


@pytest.fixture
def writer(door):
    return door.as_(door.bench.technician)


@pytest.fixture
def signatory(door):
    return door.as_(door.bench.signatory)


def at(path: str = "") -> str:
    return f"/api/v1/methods{path}"


def copied(writer):
    made = writer.post(at(), json={"type_id": PROBE})
    assert made.status_code == 201, made.text
    return made


def test_a_method_from_copy_to_use(door, writer, signatory):
    made = copied(writer)
    assert made.json()["state"] == "draft"
    changed = writer.patch(at("/1/figures"), json={"changes": POINTS}, headers=seen(made))
    assert changed.json()["definition"]["measurands"][0]["points"]["readings"] == 6
    assert "definition" not in writer.get(at()).json()[0]
    told = writer.get(at("/1/changes")).json()
    assert told["base"] == "1.1.0"
    assert {one["place"][-1] for one in told["changes"]} == {"default", "readings"}
    tried = writer.get(at("/1/dry-run")).json()
    assert (tried["compared"], tried["known"]) == (0, 0)
    sent = writer.post(at("/1/submit"), json={"reason": "our bath"}, headers=seen(changed))
    assert sent.json()["evidence"]["definition"] == sent.json()["definition_digest"]
    problem_of(writer.post(at("/1/approve"), json={}, headers=seen(sent)), 403, "role-missing")
    back = signatory.post(at("/1/return"), json={"remark": "why six?"}, headers=seen(sent))
    assert back.json()["remark"] == "why six?"
    sent = writer.post(at("/1/submit"), json={"reason": "scatter"}, headers=seen(back))
    done = signatory.post(at("/1/approve"), json={"remark": "good"}, headers=seen(sent))
    assert done.json()["is_in_force"]
    assert writer.get(f"/api/v1/types/{PROBE}").json()["version"] == "1.1.0+lab.1"
    assert door.wired.catalogue.get(PROBE).version == "1.1.0"
    gone = signatory.post(at("/1/withdraw"), json={"remark": "a slip"}, headers=seen(done))
    assert gone.json()["state"] == "withdrawn"
    assert writer.get(f"/api/v1/types/{PROBE}").json()["version"] == "1.1.0"


def test_a_change_names_the_version_it_is_made_on(writer):
    made = copied(writer)
    body = {"changes": POINTS}
    problem_of(writer.patch(at("/1/figures"), json=body), 428, "if-match-missing")
    writer.patch(at("/1/figures"), json=body, headers=seen(made))
    problem_of(
        writer.patch(at("/1/figures"), json=body, headers=seen(made)), 412, "changed-meanwhile"
    )


def test_errors_of_a_text_are_told_by_line_and_stop_what_needs_a_definition(writer):
    made = copied(writer)
    text = writer.get(at("/1/text")).text
    broken = text.replace("readings = 4 ", 'readings = "4" ', 1)
    answer = writer.put(at("/1/text"), json={"text": broken}, headers=seen(made))
    assert answer.status_code == 200
    (found,) = answer.json()["findings"]
    line = next(i for i, one in enumerate(broken.splitlines(), 1) if 'readings = "4"' in one)
    assert f"line {line}," in found["message"]
    assert found["at"] == "/measurands/0/points/readings"
    problem_of(writer.get(at("/1/dry-run")), 409, "method-has-errors")
    sent = writer.post(at("/1/submit"), json={"reason": "why"}, headers=seen(answer))
    assert problem_of(sent, 409, "method-has-errors")["findings"] == [found]


def test_a_file_is_imported_once_per_key(writer):
    text = copied(writer) and writer.get(at("/1/text")).text.replace(PROBE, "thermometer.house")
    files = {"file": ("house.toml", text.encode())}
    problem_of(writer.post(at("/import"), files=files), 400, "idempotency-key-missing")
    key = a_key()
    first = writer.post(at("/import"), files=files, headers=key)
    assert first.status_code == 201
    assert writer.post(at("/import"), files=files, headers=key).json() == first.json()
    assert len(writer.get(at()).json()) == 2
    problem_of(writer.post(at("/import"), files=files, headers=a_key()), 409, "method-open")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"/measurands/9/id": "x"}, "method-figure-unknown"),
        ({}, "request-invalid"),
        ({"/a": 1.5}, "request-invalid"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(writer, changes, code):
    made = copied(writer)
    answer = writer.patch(at("/1/figures"), json={"changes": changes}, headers=seen(made))
    problem_of(answer, 422, code)


def test_a_missing_method_is_missing(writer):
    problem_of(writer.get(at("/77")), 404, "not-found")


def test_no_door_forgets_the_methods_of_the_lab():
    shipped = {"methods.py", "documents.py", "catalogue.py", "deps.py", "method_history.py"}
    """They compare with what came with the program."""
    shipped |= {"oversight.py", "problems.py", "reporting.py"}  # of many labs, each with its own
    plain = re.compile(r"(?<!lab_catalogue\(ctx, )wired\.catalogue")
    files = [f for part in ("pages", "v1", "commands") for f in (ROOT / "api" / part).glob("*.py")]
    found = [f.name for f in files if f.name not in shipped and plain.search(f.read_text("utf-8"))]
    assert found == []
