"""Schemas at the terminal, and a certificate's DCC on standard output."""

from __future__ import annotations

import json

import pytest

from api.cli import run
from calib.certificates.dcc_writing import write_dcc
from tests.support import documents
from tests.support.dcc_documents import SCHEMAS, WITHOUT_SCHEMAS

needs_schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason=WITHOUT_SCHEMAS)


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("CALIB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LC_ALL", "C")
    return tmp_path / "data"


@pytest.fixture
def certificate(tmp_path):
    file = tmp_path / "certificate.xml"
    file.write_bytes(write_dcc(documents.forehead_certificate()))
    return file


@needs_schemas
def test_schemas_are_installed_told_and_used(data, certificate, capsys):
    assert run(["schemas", "install", "--from", str(SCHEMAS), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(data / "schemas")
    assert len(told["schemas"]) == 4
    assert run(["schemas", "check", str(certificate)]) == 0
    assert "valid" in capsys.readouterr().out
    certificate.write_bytes(certificate.read_bytes().replace(b"dcc:role>", b"dcc:rolle>"))
    assert run(["schemas", "check", str(certificate), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["valid"]
    assert "rolle" in found["findings"][0]
    run(["doctor", "--json"])
    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)["checks"]}
    assert "every certificate is validated" in checks["schemas"]["words"]


def test_without_schemas_the_doctor_says_so_and_nothing_can_be_checked(certificate, capsys):
    assert run(["schemas", "check", str(certificate)]) != 0
    assert "calib schemas install" in capsys.readouterr().err
    run(["doctor", "--json"])
    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["schemas"]["good"]
    assert "not installed" in checks["schemas"]["words"]


@pytest.mark.parametrize(("place", "words"), [("nowhere", "no folder"), (".", "not found")])
def test_place_without_schemas_is_refused(place, words, data, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["schemas", "install", "--from", place]) == 1
    assert words in capsys.readouterr().err
    assert not (data / "schemas").exists()
