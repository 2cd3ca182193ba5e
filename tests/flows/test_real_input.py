"""Published measurements go in by the import and come out of the PDF to their last digit."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from calib.certificates.dcc import read_dcc
from instruments.services import scope
from tests.support import issuing
from tests.support.builders import context_for
from tests.support.door import Door, a_door, a_key, seen
from tests.support.journey import (
    as_table,
    brought_in,
    certified,
    evaluated,
    pdf_of,
    text_of,
    whole_way,
)

SHARED = Path(os.environ.get("CALIB_SHARED", Path(__file__).parents[3] / "shared"))
PTB_FILE = SHARED / "data" / "dcc" / "examples" / "dcc_gp_temperature_typical_v12.xml"

GUM_H3 = (
    ("21.521", "21.350"), ("22.012", "21.843"), ("22.512", "22.346"), ("23.003", "22.844"),
    ("23.507", "23.343"), ("23.999", "23.834"), ("24.513", "24.357"), ("25.002", "24.845"),
    ("25.503", "25.344"), ("26.010", "25.849"), ("26.511", "26.351"),
)  # fmt: skip
"""JCGM 100:2008 table H.6: reading and reading plus correction, degC."""
PTB = (
    ("33", "33.098", "33.17"), ("100", "99.971", "100.06"), ("175", "175.103", "175.21"),
    ("250", "250.169", "250.16"), ("320", "320.004", "319.92"),
)  # fmt: skip
"""Nominal, reference and indicated value of PTB's published temperature certificate, degC."""
PTB_ERRORS = ("0.072", "0.089", "0.107", "-0.009", "-0.084")


def a_place(tmp_path, resolution: str) -> Door:
    return a_door(f"sqlite+pysqlite:///{tmp_path / 'calib.db'}", tmp_path, resolution=resolution)


def plain(text: str) -> str:
    """Return the text with the minus sign of print as the one of a keyboard."""
    return text.replace("\u2212", "-")


def test_gum_h3_is_printed_as_the_guide_prints_it(tmp_path):
    door = a_place(tmp_path, "0.001")
    rows = [(t, reference, t) for t, reference in GUM_H3]
    text = plain(whole_way(door, rows, 1, predict={"temperature": ("30",)}))
    for printed in ("-0.1712(29)", "0.00218(67)", "-0.930", "-0.1494(41)"):
        assert printed in text
    assert "extrapolat" in text
    assert "外推" in text
    door.bench.engine.dispose()


def with_scope(door: Door) -> None:
    """Accredit the lab for what PTB's certificate states, so that U is the published one."""
    entry = scope.ScopeEntry(
        type_id=issuing.PROBE,
        measurand="temperature",
        document="JJF 1171-2007",
        low="0",
        high="350",
        U="0.061",
        U_fraction="0",
        starts_on=date(2026, 1, 1),
        ends_on=None,
    )
    with context_for(door.bench.installation) as ctx:
        scope.add_row(ctx, entry, catalogue=door.bench.catalogue)


def assert_printed_as_published(text: str) -> None:
    for (nominal, reference, indication), error in zip(PTB, PTB_ERRORS, strict=True):
        # the indication is printed to the place of U, one digit more than the display
        assert f"{nominal} {reference} {indication}0 {error} 0.061" in text


def test_ptbs_published_values_as_typed_are_printed_as_published(tmp_path):
    door = a_place(tmp_path, "0.01")
    with_scope(door)
    assert_printed_as_published(plain(whole_way(door, PTB, 1)))
    door.bench.engine.dispose()


@pytest.mark.skipif(not PTB_FILE.exists(), reason=f"PTB's example is not at {PTB_FILE}")
def test_ptbs_file_itself_gives_the_rows_that_are_typed_here():
    table = read_dcc(PTB_FILE.read_bytes()).tables[0]
    found = {
        kind: next(s.values for s in table.column(kind).series if s.unit == "\\degreecelsius")
        for kind in ("basic_referenceValue", "basic_measuredValue")
    }
    assert found["basic_referenceValue"] == tuple(row[1] for row in PTB)
    assert found["basic_measuredValue"] == tuple(row[2] for row in PTB)
    errors = table.column("basic_measurementError").series[0].values
    assert errors == PTB_ERRORS


def test_ptbs_values_typed_as_a_standards_certificate_correct_another_calibration(tmp_path):
    door = a_place(tmp_path, "0.01")
    client = door.as_(door.bench.signatory)
    standard = a_pt100(client)
    values = [
        {"indication": shown, "reference": true, "expanded_uncertainty": "0.061"}
        for _, true, shown in PTB
    ]
    sent = {
        "number": "PTB-1",
        "issuer": "PTB",
        "calibrated_on": "2025-06-01",
        "valid_until": "2027-06-01",
        "values": values,
    }
    answer = client.post(f"/api/v1/standards/{standard}/certificates", json=sent)
    assert answer.status_code == 201, answer.text
    assert_corrected(door, answer.json()["certificates"][0]["id"])


@pytest.mark.skipif(not PTB_FILE.exists(), reason=f"PTB's example is not at {PTB_FILE}")
def test_ptbs_file_read_as_a_standards_certificate_corrects_another_calibration(tmp_path):
    door = a_place(tmp_path, "0.01")
    client = door.as_(door.bench.signatory)
    standard = a_pt100(client)
    files = {"file": (PTB_FILE.name, PTB_FILE.read_bytes())}
    key = a_key()
    path = f"/api/v1/standards/{standard}/certificates/dcc"
    answer = client.post(path, files=files, headers=key)
    assert answer.status_code == 201, answer.text
    assert client.post(path, files=files, headers=key).json() == answer.json()
    assert len(client.get(f"/api/v1/standards/{standard}").json()["certificates"]) == 1
    assert_corrected(door, answer.json()["certificate_id"])


def a_pt100(client) -> int:
    sent = {
        "code": "S-PT100",
        "name_en": "Pt 100 thermometer",
        "name_zh": "铂电阻温度计",
        "serial": "PT-7",
        "quantity": "temperature",
        "unit": "degC",
    }
    answer = client.post("/api/v1/standards", json=sent)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def assert_corrected(door: Door, certificate_id: int) -> None:
    """Calibrate something with the standard: where it shows 100.06 it is 99.971."""
    rows = (("33", "33.17", "33.20"), ("100", "100.06", "100.00"), ("175", "175.21", "175.20"))
    record = issuing.opened(door.bench, points=[row[0] for row in rows]).id
    client = door.as_(door.bench.technician)
    path = f"/api/v1/calibrations/{record}"
    plan = {"standards": {"temperature": [certificate_id]}}
    answer = client.put(f"{path}/plan", json=plan, headers=seen(client.get(path)))
    assert answer.status_code == 200, answer.text
    brought_in(door, record, as_table(rows))
    evaluated(door, record)
    text = plain(text_of(pdf_of(door, certified(door, record))))
    assert "33 33.098 33.200 0.102" in text
    assert "100 99.971 100.000 0.029" in text
    assert "175 175.103 175.200 0.097" in text
    door.bench.engine.dispose()
