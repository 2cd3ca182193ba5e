"""Records of every released format give the same bytes for ever."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from calib.evaluation.evaluate import evaluate
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.result import CalibrationResult
from tests.support.golden import FORMATS, RECORDS, write_missing

INPUTS = sorted(FORMATS.glob("v*/calibration-*.input.json"))


def _result(path: Path) -> bytes:
    return path.with_name(path.name.replace(".input.", ".result.")).read_bytes()


def _read(path: Path) -> CalibrationInput:
    return CalibrationInput.from_dict(json.loads(path.read_bytes()))


def test_every_type_has_a_golden_record():
    assert {p.name.split("-", 1)[1].split(".")[0] for p in INPUTS} == set(RECORDS)


@pytest.mark.parametrize("path", INPUTS, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_a_golden_input_gives_its_golden_result(path):
    assert evaluate(_read(path)).canonical() == _result(path)


@pytest.mark.parametrize("path", INPUTS, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_golden_files_are_read_back_without_loss(path):
    record, result = _read(path), CalibrationResult.from_dict(json.loads(_result(path)))

    assert record.canonical() == path.read_bytes()
    assert result.canonical() == _result(path)
    assert result.input_digest == record.digest()
    assert len(result.digest()) == 64


def test_existing_golden_files_are_never_written_again(tmp_path):
    kept = tmp_path / "calibration-pump.input.json"
    kept.write_text("kept")

    write_missing(tmp_path)

    assert kept.read_text() == "kept"
    assert len(list(tmp_path.iterdir())) == 2 * len(RECORDS)


@pytest.mark.parametrize(
    ("zone", "language", "seed"), [("Asia/Shanghai", "zh_CN.UTF-8", "1"), ("UTC", "C", "77")]
)
def test_zone_language_and_hash_seed_have_no_say(zone, language, seed):
    program = (
        "import json, sys; from calib.evaluation.evaluate import evaluate;"
        "from calib.evaluation.inputs import CalibrationInput as C;"
        "sys.stdout.buffer.write(evaluate(C.from_dict(json.load(sys.stdin))).canonical())"
    )
    path = next(p for p in INPUTS if "digital" in p.name)
    surroundings = {
        "TZ": zone, "LANG": language, "LC_ALL": language, "PYTHONHASHSEED": seed,
        "PATH": os.environ["PATH"], "PYTHONPATH": str(FORMATS.parents[1]),
    }  # fmt: skip

    done = subprocess.run(
        [sys.executable, "-c", program],
        input=path.read_bytes(), capture_output=True, env=surroundings, check=True,
    )  # fmt: skip

    assert done.stdout == _result(path)
