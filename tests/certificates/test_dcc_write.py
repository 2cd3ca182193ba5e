"""A certificate as DCC: valid, the same bytes each time, and nothing of it lost on the way back."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from calib.certificates.dcc import read_dcc, read_verified
from calib.certificates.dcc_compare import compare
from calib.certificates.dcc_details import split_concise
from calib.certificates.dcc_units import OUTSIDE, spelling, unit_of
from calib.certificates.dcc_writing import write_dcc
from calib.certificates.document import Amendment
from calib.certificates.tables import groups_of, output_text
from calib.services.standard_import import to_certificate_entry
from instruments.errors import Refused
from tests.support import documents
from tests.support.dcc_documents import SCHEMAS, TYPES, WITHOUT_SCHEMAS, a_drawn_document

NAMES = {"dcc": "https://ptb.de/dcc", "si": "https://ptb.de/si"}
BESIDE = "dcc:measurementMetaData/dcc:metaData[@refType='basic_conformity']"
DRAWN = settings(max_examples=40, deadline=None, derandomize=True)
REAL = {
    "forehead": documents.forehead_certificate,
    "digital": documents.digital_certificate,
    "ear": documents.ear_verification,
    "rejected": lambda: documents.ear_verification(shift="1"),
    "batch": documents.glass_batch,
    "english": lambda: documents.digital_certificate("en"),
    "chinese": lambda: documents.forehead_certificate("zh"),
}


@pytest.fixture(scope="module")
def schema():
    if not SCHEMAS.is_dir():
        pytest.skip(WITHOUT_SCHEMAS)
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "v3.3.0" / "dcc.xsd")))


def of(xml: bytes, path: str) -> list[str]:
    return [(e.text or "") for e in etree.fromstring(xml).iterfind(path, NAMES)]


@pytest.mark.parametrize("name", REAL)
def test_a_real_certificate_is_valid_and_says_what_its_document_says(schema, name):
    document = REAL[name]()
    xml = write_dcc(document)
    assert schema.validate(etree.fromstring(xml)), schema.error_log
    assert compare(document, xml) == ()


@pytest.mark.parametrize("type_id", TYPES)
def test_every_type_gives_a_valid_file(schema, type_id):
    for seed in range(3):
        document = a_drawn_document(type_id, seed)
        xml = write_dcc(document)
        assert schema.validate(etree.fromstring(xml)), schema.error_log
        assert compare(document, xml) == ()


@given(st.sampled_from(TYPES), st.integers(0, 10**6))
@DRAWN
def test_what_is_written_is_read_to_the_last_digit(type_id, seed):
    document = a_drawn_document(type_id, seed)
    reading = read_dcc(write_dcc(document))
    tables = iter([t for t in reading.tables if t.ref_types == ("basic_1IndexTable",)])
    for stage in document.measurement.stages:
        for measurand, its_stage, points in groups_of(document):
            if its_stage != stage:
                continue
            for piece in dict.fromkeys(p.piece for p in points):
                own = [p for p in points if p.piece == piece]
                table = next(tables)
                shown = [p.printed for p in own]
                index = table.column("basic_tableIndex0")
                last = table.columns[-1].series[-1]
                assert index is not None
                assert list(index.series[-1].values) == [p.nominal for p in shown]
                assert list(last.values) == [output_text(measurand, p) for p in shown]
                assert list(last.U) == [p.U for p in shown]
                assert list(last.k) == [p.k for p in shown]
                spelled = spelling(measurand.output_unit)
                assert last.unit == (spelled.outside or spelled.dsi)
                if measurand.output_unit != "%RH":  # D-SI has per cent alone
                    assert unit_of(last.unit).id == measurand.output_unit
    assert next(tables, None) is None
    assert reading.number == document.number
    assert reading.calibrated_on.isoformat() == document.performed_on


@given(st.sampled_from(TYPES), st.integers(0, 10**6))
@DRAWN
def test_the_same_document_gives_the_same_bytes(type_id, seed):
    document = a_drawn_document(type_id, seed)
    xml = write_dcc(document)
    assert xml == write_dcc(type(document).from_dict(document.as_dict()))
    assert xml.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<dcc:digitalCalibration")
    assert b"<!DOCTYPE" not in xml


def test_a_certificate_of_ours_serves_as_the_certificate_of_a_standard():
    document = documents.digital_certificate()
    entry = to_certificate_entry(read_dcc(write_dcc(document)))
    shown = [p.printed for p in document.result.points]
    assert [(v.indication, v.reference, v.U, v.k) for v in entry.values] == [
        (p.indication, p.reference, p.U, p.k) for p in shown
    ]
    assert entry.number == document.number
    assert entry.issuer == document.lab.name.en


def test_both_languages_stand_side_by_side_and_one_alone():
    both = write_dcc(documents.forehead_certificate("zh+en"))
    assert of(both, ".//dcc:usedLangCodeISO639_1") == ["zh", "en"]
    assert of(both, ".//dcc:item/dcc:name/dcc:content[@lang='zh']")
    assert of(both, ".//dcc:item/dcc:name/dcc:content[@lang='en']")
    one = write_dcc(documents.forehead_certificate("zh"))
    assert of(one, ".//dcc:usedLangCodeISO639_1") == ["zh"]
    assert not etree.fromstring(one).findall(".//dcc:content[@lang='en']", NAMES)


def test_pieces_of_a_batch_are_items_and_each_has_its_table():
    document = documents.glass_batch()
    root = etree.fromstring(write_dcc(document))
    ids = [item.get("id") for item in root.iterfind(".//dcc:items/dcc:item", NAMES)]
    tables = root.findall(".//dcc:data/dcc:list[@refType='basic_1IndexTable']", NAMES)
    assert [table.get("refId") for table in tables] == ids
    assert len(ids) == document.item.quantity
    reading = read_dcc(write_dcc(document))
    assert [item.serials[0] for item in reading.items] == list(document.item.pieces)
    assert {item.maker for item in reading.items} == {document.item.maker}


def test_an_amendment_names_what_it_replaces():
    document = documents.forehead_certificate()
    assert of(write_dcc(document), ".//dcc:replacedUniqueIdentifier") == []
    amended = write_dcc(replace(document, amendment=Amendment("N-1", "wrong serial")))
    assert of(amended, ".//dcc:replacedUniqueIdentifier") == ["N-1"]
    said = of(amended, ".//dcc:statement[@refType='calib_amendment']/dcc:declaration/dcc:content")
    assert len(said) == 2
    assert all("wrong serial" in words for words in said)


def test_conclusions_keep_their_order_and_their_words():
    document = documents.ear_verification(shift="1")
    column = f".//dcc:quantity[@refType='basic_measurementError']/{BESIDE}"
    xml = write_dcc(document)
    said = of(xml, f"{column}/dcc:data/dcc:quantity[@refType='calib_verdict']/dcc:charsXMLList")
    assert said == [" ".join(p.verdict for p in document.result.points)]
    assert of(xml, f"{column}/dcc:conformityXMLList") == said
    assert of(xml, ".//dcc:statement[@refType='basic_conformity']/dcc:conformity") == ["fail"]


def test_verified_bytes_are_authentic_and_others_never():
    xml = write_dcc(documents.forehead_certificate())
    assert not read_dcc(xml).is_authentic
    assert [n.code for n in read_dcc(xml).notes if n.severity == "warning"] == ["dcc-unsigned"]
    assert read_verified(xml).is_authentic
    assert not [n for n in read_verified(xml).notes if n.severity == "warning"]


def test_control_character_is_refused_in_words():
    document = documents.forehead_certificate()
    bad = replace(document, remarks=("a\x0bb",))
    with pytest.raises(Refused) as caught:
        write_dcc(bad)
    assert caught.value.code == "dcc-unwritable"


@pytest.mark.parametrize(
    ("printed", "parts"),
    [
        ("-0.1712(29)", ("-0.1712", "0.0029")),
        ("12(3)", ("12", "3")),
        ("0.0005(0)", ("0.0005", "0.0000")),
        ("1e5(3)", None),
    ],
)
def test_concise_notation_is_taken_apart(printed, parts):
    assert split_concise(printed) == parts


def test_unit_outside_d_si_stands_beside_its_exact_conversion():
    document = documents.forehead_certificate()
    measured = document.measurement
    words = replace(measured.measurands[0], unit="cmH2O", output_unit="cmH2O")
    changed = replace(document, measurement=replace(measured, measurands=(words,)))
    xml = write_dcc(changed)
    assert compare(changed, xml) == ()
    table = read_dcc(xml).tables[0]
    error = table.column("basic_measurementError")
    assert error is not None
    assert [s.unit for s in error.series] == [r"\pascal", "cmH2O"]
    for pascal, own in zip(error.series[0].U, error.series[1].U, strict=True):
        assert Decimal(pascal) == Decimal(own) * Decimal("98.0665")
    assert set(OUTSIDE) == {"degF", "cmH2O", "r/min", "r/s", "pH"}


PYDCC = """
import sys, types
stand_in = types.ModuleType("certvalidator")  # its own imports fail on this OpenSSL; unused here
stand_in.CertificateValidator = stand_in.errors = stand_in.ValidationContext = object
sys.modules["certvalidator"] = stand_in
import dcc.dcc
dcc.dcc.DCCXMLValidator = object  # it would fetch schemas from the network
DCC = dcc.dcc.DCC
file = DCC(xml_file_name=sys.argv[1])
print(file.uid(), file.calibration_date().date(), file.mandatory_language(), file.version())
for path, values in file.get_calibration_results("xpath"):
    if "basic_1IndexTable" in path:
        print(values["realListXMLList"]["valueXMLList"])
"""


def test_pydcc_reads_number_date_and_results(tmp_path):
    pytest.importorskip("signxml")
    document = documents.digital_certificate()
    file = tmp_path / "dcc.xml"
    file.write_bytes(write_dcc(document))
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(PYDCC), str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    first, *results = ran.stdout.splitlines()
    assert first == f"{document.number} {document.performed_on} zh 3.3.0"
    shown = [p.printed for p in document.result.points]
    columns = ([getattr(p, n) for p in shown] for n in ("nominal", "reference", "indication"))
    assert results[:3] == [" ".join(column) for column in columns]
    assert results[3] == " ".join(p.error for p in shown)


def test_writing_takes_milliseconds():
    document = documents.digital_certificate()
    digest = document.digest()

    def once() -> float:
        start = time.perf_counter()
        write_dcc(document, digest)
        return time.perf_counter() - start

    assert min(once() for _ in range(20)) < 0.005


def test_simulated_readings_are_said_in_both_languages_and_missed_when_they_are_not():
    document = documents.forehead_certificate("zh")
    simulated = replace(document, simulated=True)
    said = ".//dcc:statement[@refType='calib_simulated']/dcc:declaration/dcc:content"
    xml = write_dcc(simulated)
    assert len(of(xml, said)) == 2
    assert of(write_dcc(document), said) == []
    assert compare(simulated, xml) == ()
    assert compare(simulated, write_dcc(document))
    assert compare(document, xml)
