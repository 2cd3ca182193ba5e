"""``calib bench``: every work is done, and its answer is right."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from api.cli import run
from calib.bench import calibrations, works
from calib.bench.measure import Work, clock, measure, repeats

EXACT = {"W1": 1e-12, "W3": 1e-10, "W4": 1e-12, "W6": 1e-12}
QUICK = [w for w in works.WORKS if w.size < 10_000]


@pytest.mark.parametrize("work", QUICK, ids=[w.title for w in QUICK])
def test_a_work_gives_the_known_answer(work: Work) -> None:
    drawn = 0.05 if "linear" not in work.name else 1e-6
    assert work.deviation(work.prepare()()) < EXACT.get(work.group, drawn)


def test_a_line_of_json_per_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tuple(w for w in works.WORKS if w.title in ("W1 model A, one", "W6 both risks, one"))
    monkeypatch.setattr(works, "WORKS", small)
    assert run(["bench", "w1", "W6", "--rounds", "1", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["work"] for line in lines] == ["W1", "W6"]
    assert all(line["seconds"] > 0 and line["deviation"] < 1e-12 for line in lines)
    assert lines[0]["per_second"] == pytest.approx(1 / lines[0]["seconds"])


def test_an_unknown_work_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "W9"]) == 3
    assert "W9" in capsys.readouterr().err


def test_memory_and_repeats_are_those_of_the_run() -> None:
    big = Work("W0", "a list", 1, lambda: lambda: [0] * 1_000_000, lambda found: 0.0)
    assert measure(big, 1).peak_bytes > 8_000_000
    count = repeats(lambda: sum(range(100)))
    assert count > 100
    assert clock(lambda: None, 3) >= 0


def test_a_long_work_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calib.bench.measure.LONG_SECONDS", 0.0)
    runs: list[int] = []
    work = Work("W0", "a few", 1, lambda: lambda: runs.extend(range(1000)), lambda found: 0.0)

    seen = measure(work, 3)

    assert (len(runs), seen.rounds) == (2000, 1)
    assert seen.seconds > 0


def test_a_fleet_of_calibrations_is_told_what_each_record_is_told_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calibrations, "EVERY", 7)
    told = calibrations.evaluate_fleet(50)

    assert told.verdicts.total() == 50
    assert calibrations.otherwise(told, 50) == 0
    wrong = told._replace(some=told.some | {7: told.some[14]})
    assert calibrations.otherwise(wrong, 50) == pytest.approx(1 / 8)
    missing = told._replace(verdicts=told.verdicts - Counter(["pass", "cannot_be_stated", "fail"]))
    assert calibrations.otherwise(missing, 50) == 1
