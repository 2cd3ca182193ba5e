"""``calib evaluate``: files of frozen inputs, answers in order, a summary, exit codes."""

from __future__ import annotations

import gzip
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from api import cli
from calib.evaluation import lines as lines_of
from tests.support import inputs as a

FORMATS = Path(__file__).parents[1] / "formats" / "v1"
NAMES = ("digital", "ear", "forehead", "electronic", "glass", "pump", "not-calibratable")
INPUTS = [(FORMATS / f"calibration-{name}.input.json").read_bytes() for name in NAMES]
RESULTS = [(FORMATS / f"calibration-{name}.result.json").read_bytes() for name in NAMES]


@pytest.fixture
def calib(capsysbinary, monkeypatch):
    """Return the command line in this process: exit code, output, errors."""
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")

    def run(*arguments: object) -> tuple[int, bytes, str]:
        given = ["evaluate", *map(str, arguments)]
        monkeypatch.setattr("sys.argv", ["calib", *given])
        code = cli.run(given)
        out, err = capsysbinary.readouterr()
        return code, out, err.decode()

    return run


@pytest.fixture
def fleet(tmp_path) -> Path:
    file = tmp_path / "fleet.jsonl"
    file.write_bytes(b"\n".join(INPUTS) + b"\n")
    return file


def test_every_line_gives_its_stored_result_on_standard_output(calib, fleet):
    code, out, err = calib(fleet)

    assert code == 0
    assert out.splitlines() == RESULTS
    assert err.startswith("7 records in ")
    assert "refused: 0." in err


def test_several_files_packed_and_plain_into_one(calib, fleet, tmp_path, monkeypatch):
    packed = tmp_path / "more.gz"
    packed.write_bytes(gzip.compress(INPUTS[0] + b"\n{\n"))
    given = io.TextIOWrapper(io.BufferedReader(io.BytesIO(INPUTS[1])))
    monkeypatch.setattr(sys, "stdin", given)
    out = tmp_path / "results.jsonl"

    code, _, _ = calib(fleet, packed, "-", "--out", out)

    *results, refusal, last = out.read_bytes().splitlines()
    assert code == 1
    assert results == [*RESULTS, RESULTS[0]]
    assert last == RESULTS[1]
    error = json.loads(refusal)["error"]
    assert (error["file"], error["line"], error["code"]) == (str(packed), 2, "bad-json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fleet.jsonl", "more.gz", "results.jsonl"]


def test_several_processes_give_the_same(calib, fleet, tmp_path, monkeypatch):
    monkeypatch.setattr(lines_of, "LINES", 2)
    out = tmp_path / "results.jsonl"

    code, _, _ = calib(fleet, "--jobs", 2, "--out", out)

    assert code == 0
    assert out.read_bytes().splitlines() == RESULTS


def test_the_summary_as_json(calib, fleet, tmp_path):
    out = tmp_path / "results.jsonl"
    fleet.write_bytes(fleet.read_bytes() + b"{}\n")

    code, said, _ = calib(fleet, "--out", out, "--json")

    summary = json.loads(said)
    assert code == 1
    assert summary["records"] == 8
    assert summary["refused"] == 1
    assert sum(summary["verdicts"].values()) == 7
    assert summary["verdicts"]["not_calibratable"] == 1
    assert summary["seconds"] > 0
    assert summary["per_second"] > 0
    assert summary["peak_bytes"] > 10**6


def batch(*readings: str) -> bytes:
    return a.glass([(text, "41.00") for text in readings]).canonical() + b"\n"


def test_a_batch_with_a_failed_piece_is_no_bare_pass(calib, tmp_path):
    file, out = tmp_path / "batch.jsonl", tmp_path / "out.jsonl"
    file.write_bytes(batch("37.02", "38.00", "37.00") + batch("37.02", "37.00"))

    _, said, _ = calib(file, "--out", out, "--json")
    _, _, err = calib(file, "--out", out)

    results = [json.loads(line)["result"] for line in out.read_bytes().splitlines()]
    assert [r["verdict"] for r in results] == ["pass", "pass"]
    assert json.loads(said)["verdicts"] == {"pass": 1, "pass_of_rest": 1}
    assert json.loads(said)["pieces"] == {"fail": 1, "pass": 4}
    assert "Pass: 1, Pass without the pieces that do not: 1" in err
    assert "Pieces of batches: Fail: 1, Pass: 4." in err


def test_the_summary_says_why_lines_were_refused(calib, tmp_path):
    file, out = tmp_path / "bad.jsonl", tmp_path / "out.jsonl"
    record = replace(a.forehead(), performed_on="2099-01-01").canonical()
    file.write_bytes(record + b"\n" + record + b"\n{\n")

    _, said, _ = calib(file, "--out", out, "--json")
    _, _, err = calib(file, "--out", out)

    assert json.loads(said)["reasons"] == {"standard-out-of-date": 2, "bad-json": 1}
    assert "Refused most often for: standard-out-of-date: 2, bad-json: 1." in err


def test_a_dash_is_standard_output_and_no_file(calib, fleet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    code, out, _ = calib(fleet, "--out", "-")

    assert (code, out.splitlines()) == (0, RESULTS)
    assert not (tmp_path / "-").exists()


def test_quiet_says_nothing_but_the_results(calib, fleet):
    code, out, err = calib(fleet, "--quiet")

    assert (code, err) == (0, "")
    assert out.splitlines() == RESULTS


def test_the_summary_is_said_in_chinese(calib, fleet, monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")

    _, _, err = calib(fleet)

    assert err.startswith("7 条记录")
    assert "合格" in err


def test_an_empty_file_is_no_fault(calib, tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"\n\n")

    code, out, err = calib(empty)

    assert (code, out) == (0, b"")
    assert err.startswith("0 records")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fleet.jsonl", "missing.jsonl"), "The file missing.jsonl cannot be read"),
        (("fleet.jsonl", "--json"), "With --json standard output holds the summary alone."),
        (("fleet.jsonl", "mine.toml"), "mine.toml is a type file and holds no readings."),
        (("fleet.jsonl", "--out", "no/such/x"), "The results cannot be written to no/such/x"),
    ],
    ids=["no file", "no room for the summary", "a type", "no folder"],
)
def test_wrong_usage_is_told_before_anything_is_done(calib, fleet, arguments, said, monkeypatch):
    monkeypatch.chdir(fleet.parent)
    (fleet.parent / "mine.toml").write_text("schema = 2\n")

    code, out, err = calib(*arguments)

    assert code == 3
    assert err.startswith(said)
    assert b"points" not in out


def test_a_device_takes_results_and_keeps_its_name(calib, fleet):
    code, _, _ = calib(fleet, "--out", "/dev/null")

    assert code == 0
    assert Path("/dev/null").is_char_device()
