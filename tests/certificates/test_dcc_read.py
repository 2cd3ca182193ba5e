"""Digital calibration certificates of other institutes: read whole, believed in nothing."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import pytest

from calib.certificates import dcc
from calib.certificates.dcc import read_dcc
from calib.services.standard_import import to_certificate_entry
from instruments.errors import DomainError, Invalid, Refused
from tests.support.dcc_files import ERROR, INDICATION, REFERENCE, TABLE, column, document, expanded

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CALIB_SHARED", ROOT.parent / "shared"))
EXAMPLES = SHARED / "data" / "dcc" / "examples"
needs_examples = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason=f"PTB's DCC examples are not at {EXAMPLES}"
)


def example(name):
    return (EXAMPLES / name).read_bytes()


@needs_examples
def test_published_temperature_certificate_reads_to_its_last_digit():
    reading = read_dcc(example("dcc_gp_temperature_typical_v12.xml"))
    assert (reading.number, reading.issuer, reading.calibrated_on) == (
        "GP_DCC_temperature_typical_1.2",
        "Kalibrierfirma GmbH",
        date(1957, 8, 13),
    )
    assert [(i.maker, i.model, i.serials) for i in reading.items] == [
        ("String", "String", ("string-manufacturer-item",))
    ]
    entry = to_certificate_entry(reading)
    assert [(v.indication, v.reference, v.U, v.k) for v in entry.values] == [
        ("33.17", "33.098", "0.061", "2"),
        ("100.06", "99.971", "0.061", "2"),
        ("175.21", "175.103", "0.061", "2"),
        ("250.16", "250.169", "0.061", "2"),
        ("319.92", "320.004", "0.061", "2"),
    ]
    assert (entry.low, entry.high, entry.origin) == ("32.85", "319.85", "dcc")


@needs_examples
def test_published_humidity_certificate_gives_both_units():
    reading = read_dcc(example("dcc_gp_humidity_v1.0.xml"))
    table = reading.tables[0]
    series = [s for c in table.columns for s in c.series]
    assert [s.unit for s in series] == [r"\one", r"\percent"] * 3
    assert series[4].U == ("0.006", "0.008", "0.010", "0.011", "0.010", "0.008", "0.006")
    entry = to_certificate_entry(reading, unit="%RH")
    assert [v.indication for v in entry.values][:3] == ["19.7", "49.9", "80.3"]
    assert entry.values[0].U == "0.600"
    with pytest.raises(Invalid) as caught:
        to_certificate_entry(reading, unit="degC")
    assert caught.value.code == "unit-other-quantity"


@needs_examples
def test_published_resistance_certificate_has_two_tables():
    reading = read_dcc(example("dcc_gp_temperatur_resistance_v12.xml"))
    assert [len(t.columns) for t in reading.tables] == [2, 3]
    measured = reading.tables[0].column("basic_measuredValue")
    assert measured is not None
    assert measured.series[0].values[-1] == "100.0224"
    assert measured.series[0].U[0] == "0.0039"
    coefficients = [c.series[0].values for c in reading.tables[1].columns]
    assert coefficients == [("100.0225",), ("0.0039155",), ("-6.469E-07",)]
    with pytest.raises(Invalid):  # ohm beside degree Celsius is no table of corrections
        to_certificate_entry(reading)


@needs_examples
@pytest.mark.parametrize(
    "name",
    [
        "dcc_gp_temperature_typical_v12_signed.xml",
        "dcc_gp_temperature_typical_v12_signed_manipulated.xml",
    ],
)
def test_signed_file_is_never_called_authentic(name):
    reading = read_dcc(example(name))
    assert reading.is_signed
    warnings = [f for f in reading.notes if f.severity == "warning"]
    assert [f.code for f in warnings] == ["dcc-signature-unchecked"]
    assert "not checked" in warnings[0].text()


@needs_examples
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.xml")), ids=lambda p: p.stem)
def test_every_text_of_an_example_is_read_or_listed(path):
    from lxml import etree

    reading = read_dcc(path.read_bytes())
    parts = [str(f.facts["part"]) for f in reading.notes if f.code == "dcc-part-unread"]
    root = etree.fromstring(path.read_bytes())
    read = {reading.number, reading.issuer, reading.calibrated_on.isoformat()}
    for table in reading.tables:
        for one in table.columns:
            read |= {" ".join(s.values) for s in one.series} | {s.unit for s in one.series}
    for element in root.iter(etree.Element):
        text = (element.text or "").strip()
        if not text or len(element):
            continue
        steps = root.getroottree().getelementpath(element)
        place = "/" + "".join(re.sub(r"\{[^}]*\}", "", steps))
        listed = any(place == p or place.startswith((p + "/", p + "[")) for p in parts)
        kept = text in read or etree.QName(element).localname in KEPT
        signature = place.startswith("/Signature")
        assert listed or kept or signature, place


KEPT = {
    # read into names, marks, makers, uncertainties and the range of validity
    "content",
    "issuer",
    "value",
    "model",
    "unit",
    "uncertaintyXMLList",
    "coverageFactorXMLList",
    "valueXMLList",
    "unitXMLList",
}


def test_columns_keep_their_decimals_and_uncertainty_is_spread():
    body = REFERENCE + INDICATION + ERROR.replace("0.05 0.06", "0.050")
    entry = to_certificate_entry(read_dcc(document(body)))
    assert [(v.reference, v.U) for v in entry.values] == [("10.00", "0.050"), ("20.00", "0.050")]
    assert entry.issuer == "Institute"
    assert entry.calibrated_on == date(2025, 9, 1)


def test_kelvin_is_converted_exactly():
    body = column("basic_referenceValue", "283.150 293.15", r"\kelvin") + INDICATION + ERROR
    entry = to_certificate_entry(read_dcc(document(body)))
    assert [v.reference for v in entry.values] == ["10.000", "20.00"]


def test_newer_form_of_uncertainty_is_read():
    newer = (
        "<si:measurementUncertaintyUnivariateXMLList><si:expandedMUXMLList>"
        "<si:valueExpandedMUXMLList>0.05 0.06</si:valueExpandedMUXMLList>"
        "<si:coverageFactorXMLList>2 2.1</si:coverageFactorXMLList>"
        "</si:expandedMUXMLList></si:measurementUncertaintyUnivariateXMLList>"
    )
    body = REFERENCE + INDICATION + column("basic_measurementError", "0.1 0.2", r"\kelvin", newer)
    entry = to_certificate_entry(read_dcc(document(body, version="3.3.0")))
    assert [(v.U, v.k) for v in entry.values] == [("0.05", "2"), ("0.06", "2.1")]


def test_uncertainty_of_the_indication_serves_without_an_error_column():
    body = REFERENCE + column("basic_measuredValue", "10.1 20.2", uncertainty=expanded("0.05"))
    assert [v.U for v in to_certificate_entry(read_dcc(document(body))).values] == ["0.05", "0.05"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (REFERENCE + INDICATION, "dcc-uncertainty-unclear"),
        (
            column("basic_referenceValue", "10 20", uncertainty=expanded("0.1"))
            + column("basic_measuredValue", "10 20", uncertainty=expanded("0.1")),
            "dcc-uncertainty-unclear",
        ),
        (REFERENCE + ERROR, "dcc-column-missing"),
        (REFERENCE + REFERENCE + INDICATION + ERROR, "dcc-column-missing"),
        (REFERENCE + column("basic_measuredValue", "10.1") + ERROR, "dcc-columns-uneven"),
        (REFERENCE + INDICATION + ERROR.replace("0.10 0.20", "0.10 0.90"), "dcc-error-contradicts"),
    ],
)
def test_table_that_cannot_serve_is_refused(body, code):
    reading = read_dcc(document(body))
    with pytest.raises(DomainError) as caught:
        to_certificate_entry(reading)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (document(version="2.4.0"), "dcc-unknown-version"),
        (b"<html/>", "dcc-unknown-version"),
        (document(on="13.08.1957"), "dcc-malformed"),
        (document(on="2025-02-30"), "dcc-malformed"),
        (document(""), "dcc-without-results"),
        (document(TABLE.replace("10.00 20.00", "10.00 NaN")), None),
        (document(TABLE.replace("10.00 20.00", "10,00 20,00")), None),
        (document(TABLE.replace("10.00 20.00", "<b>1</b> 2")), "dcc-malformed"),
        (document(TABLE.replace("10.00 20.00", " ")), "dcc-malformed"),
        (document(TABLE.replace("0.05 0.06", "0.05 0.06 0.07")), "dcc-malformed"),
        (
            document().replace(b"</dcc:coreData>", b"</dcc:coreData><dcc:coreData/>"),
            "dcc-malformed",
        ),
        (
            document().replace(
                b"<dcc:uniqueIdentifier>",
                b"<dcc:uniqueIdentifier>N-0</dcc:uniqueIdentifier><dcc:uniqueIdentifier>",
            ),
            "dcc-malformed",
        ),
        (b"", "dcc-unreadable"),
        (b"<a>", "dcc-unreadable"),
        (b"<a>&x;</a>", "dcc-unreadable"),
    ],
)
def test_file_that_is_no_certificate_is_refused(content, code):
    with pytest.raises(Invalid) as caught:
        read_dcc(content)
    assert code is None or caught.value.code == code


def test_comment_between_parts_changes_nothing():
    body = f"<!-- {REFERENCE} -->{TABLE}"
    assert read_dcc(document(body)).tables == read_dcc(document(TABLE)).tables


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))


@pytest.mark.parametrize(
    "attack",
    [
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        + document().replace(b"N-1", b"&x;"),
        f"<!DOCTYPE d [{LAUGHS}]>".encode() + document().replace(b"N-1", b"&l9;"),
        b'<!DOCTYPE d SYSTEM "http://127.0.0.1:9/d.dtd">' + document(),
        b"<!DOCTYPE d>" + document(),
        ("<!DOCTYPE d>" + document().decode()).encode("utf-16"),
        document().replace(
            b"<dcc:coreData>",
            b'<dcc:coreData><x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/x"/>',
        ),
        b"<a>" * 100_000 + b"</a>" * 100_000,
        b"<a>" + b" " * dcc.MAX_BYTES + b"</a>",
        document(column("basic_referenceValue", "1 " * (dcc.MAX_VALUES + 1))),
    ],
    ids=["file", "laughs", "dtd", "doctype", "utf16", "xinclude", "depth", "size", "values"],
)
def test_attack_is_refused(attack):
    with pytest.raises((Invalid, Refused)) as caught:
        read_dcc(attack)
    assert caught.value.code in {
        "dcc-with-doctype",
        "dcc-with-inclusion",
        "dcc-unreadable",
        "dcc-too-large",
    }


def test_values_beside_a_quantity_are_no_table_of_results():
    aside = (
        "<dcc:measurementMetaData><dcc:metaData><dcc:data><dcc:list>"
        + column("basic_referenceValue", "1 2")
        + "</dcc:list></dcc:data></dcc:metaData></dcc:measurementMetaData>"
    )
    reading = read_dcc(document(TABLE + aside))
    assert len(reading.tables) == 1
    assert any("measurementMetaData" in f.at for f in reading.notes)


def test_table_that_is_not_there_is_refused():
    with pytest.raises(Invalid) as caught:
        to_certificate_entry(read_dcc(document()), table=1)
    assert caught.value.code == "dcc-table-unknown"


def one_by_one(values, inner="", unit=r"<si:unit>\degreecelsius</si:unit>"):
    reals = "".join(f"<si:real><si:value>{v}</si:value>{unit}{inner}</si:real>" for v in values)
    return f'<dcc:quantity refType="basic_referenceValue"><si:list>{reals}</si:list></dcc:quantity>'


def read_column(body):
    column = read_dcc(document(body + INDICATION + ERROR)).tables[0].column("basic_referenceValue")
    assert column is not None
    return column


@pytest.mark.parametrize(
    "body",
    [
        one_by_one(["10.00", "20.0"]),
        one_by_one(["10.00", "20.0"]).replace("<si:list>", "<si:list><si:realList>").replace(
            "</si:list>", "</si:realList></si:list>"
        ),
        one_by_one(["10.00", "20.0"], unit="").replace(
            "<si:list>",
            r"<si:list><si:realList><si:listUnit>\degreecelsius</si:listUnit>",
        ).replace("</si:list>", "</si:realList></si:list>"),
        column("basic_referenceValue", "10.00 20.0", r"\degreecelsius \degreecelsius"),
    ],
    ids=["reals", "real list", "unit of the list", "unit of each"],
)  # fmt: skip
def test_values_given_one_by_one_are_one_column(body):
    (series,) = read_column(body).series
    assert (series.unit, series.values) == (r"\degreecelsius", ("10.00", "20.0"))


def test_misspelt_uncertainty_of_the_schema_is_read_and_not_dropped():
    inner = (
        "<si:measurementUncertaintyUnivaraite><si:expandedMU><si:valueExpandedMU>0.05"
        "</si:valueExpandedMU><si:coverageFactor>2</si:coverageFactor></si:expandedMU>"
        "</si:measurementUncertaintyUnivaraite>"
    )
    (series,) = read_column(one_by_one(["10.00", "20.0"], inner)).series
    assert (series.U, series.k) == (("0.05", "0.05"), ("2", "2"))


@pytest.mark.parametrize(
    "body",
    [
        one_by_one(["1"]).replace(
            "</si:list>",
            r"<si:real><si:value>2</si:value><si:unit>\kelvin</si:unit></si:real></si:list>",
        ),
        column("basic_referenceValue", "10.00 20.0", r"\degreecelsius \kelvin"),
    ],
)  # fmt: skip
def test_values_of_different_units_in_one_list_are_refused(body):
    with pytest.raises(Invalid) as caught:
        read_dcc(document(body + INDICATION + ERROR))
    assert caught.value.code == "dcc-malformed"


def test_text_between_parts_is_listed():
    content = document().replace(b"<dcc:items>", b"<dcc:items>99.00 and more")
    assert any(f.at.endswith("/items") for f in read_dcc(content).notes)


def test_unit_by_its_plain_name_is_converted_exactly():
    body = (
        column("basic_referenceValue", "10.00 20.00", "cmH2O")
        + column("basic_measuredValue", "10.0 20.0", "cmH2O")
        + column("basic_measurementError", "0.00 0.00", "cmH2O", expanded("0.05"))
    )
    entry = to_certificate_entry(read_dcc(document(body)), unit="Pa")
    assert [v.reference for v in entry.values] == ["980.665000", "1961.330000"]
    assert entry.values[0].U == "4.903325"


def test_correction_of_our_own_serves_with_its_uncertainty():
    body = (
        REFERENCE
        + INDICATION
        + column("calib_correction", "-0.1 -0.2", r"\kelvin", expanded("0.05"))
    )
    assert [v.U for v in to_certificate_entry(read_dcc(document(body))).values] == ["0.05", "0.05"]
