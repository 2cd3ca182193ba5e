"""``calib simulate``: frozen inputs, sheets, what only the simulator knows, and what is refused."""

from __future__ import annotations

import csv
import io
import json

import pytest
from openpyxl import load_workbook

from api.cli import run
from calib.evaluation.inputs import CalibrationInput
from calib.evaluation.tasks import compute_many, load
from calib.simulation.tables import COLUMNS

EAR = "thermometer.infrared_ear"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_inputs_are_lines_that_can_be_computed(tmp_path):
    out, answers = tmp_path / "inputs.jsonl", tmp_path / "answers.jsonl"
    asked = ["simulate", EAR, "--count", "3", "--seed", "4", "--blunders", "0.05"]
    assert run([*asked, "--out", str(out), "--answers", str(answers)]) == 0
    found = lines(out)
    assert [one["input"]["item"]["serial"] for one in found] == [
        "SIM-4-00000", "SIM-4-00001", "SIM-4-00002"
    ]  # fmt: skip
    assert all(CalibrationInput.from_dict(one).simulated for one in found)
    compute_many(load(json.dumps(found)))
    known = lines(answers)
    assert [one["serial"] for one in known] == [one["input"]["item"]["serial"] for one in found]
    assert any(one["blunders"] for one in known)


def test_all_types_take_turns(tmp_path):
    out = tmp_path / "all.jsonl"
    assert run(["simulate", "--all", "--count", "40", "--out", str(out)]) == 0
    types = [one["input"]["definition"]["id"] for one in lines(out)]
    assert len(types) == 40
    assert len(set(types)) == 38


def test_a_sheet_is_text_in_both_forms(tmp_path):
    for form in ("csv", "xlsx"):
        out = tmp_path / f"sheet.{form}"
        asked = [
            "simulate",
            "sphygmomanometer.automated",
            "--as",
            form,
            "--attributes",
            "scale=kpa",
        ]
        assert run([*asked, "--out", str(out)]) == 0
    table = list(csv.reader(io.StringIO((tmp_path / "sheet.csv").read_text())))
    sheet = load_workbook(tmp_path / "sheet.xlsx").worksheets[0]
    cells = [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert cells == table
    assert tuple(table[0]) == COLUMNS
    assert all(row[-1] for row in table[1:])
    assert {row[0] for row in table[1:]} >= {"static_kpa", "repeatability_kpa"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ([], "Name an instrument type"),
        ([EAR, "--all"], "Name an instrument type"),
        ([EAR, "--as", "csv", "--count", "2"], "one record"),
        (["pump.infusion_syringe", "--attributes", "pump=foot"], "pump=syringe|infusion"),
        ([EAR, "--attributes", "colour=red"], "It has: none"),
        (["thermometer.glass_clinical", "--kind", "check"], "has no check"),
        ([EAR, "--out", "/nowhere/at/all"], "cannot be written"),
    ],
)
def test_what_cannot_be_simulated_is_said(asked, said, capsys):
    assert run(["simulate", *asked]) == 3
    assert said in capsys.readouterr().err


def test_an_unknown_type_is_refused(capsys):
    assert run(["simulate", "thermometer.infrared_eer"]) == 1
    assert EAR in capsys.readouterr().err
