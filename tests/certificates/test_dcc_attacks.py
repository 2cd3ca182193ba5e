"""Attacks on the reader of digital certificates: none of them is read as what it pretends to be.

Whoever wraps, doubles, splits or includes must not make a reading say another number than the one
that was signed, and nothing may reach outside, hang, or fill the memory.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from lxml import etree

from calib.certificates.dcc import read_dcc, read_verified
from calib.certificates.dcc_parsing import parse
from instruments.errors import Invalid, Refused
from tests.support.dcc_documents import ROOT
from tests.support.dcc_files import TABLE, document

DS = "http://www.w3.org/2000/09/xmldsig#"
GENUINE = document()
FORGED = GENUINE.replace(b"10.00 20.00", b"10.00 99.00").replace(b"N-1", b"N-666")
SIGNATURE = (
    f'<ds:Signature xmlns:ds="{DS}" Id="s"><ds:SignedInfo><ds:Reference URI=""/></ds:SignedInfo>'
    "<ds:SignatureValue>AA==</ds:SignatureValue>{}</ds:Signature>"
)
END = b"</dcc:digitalCalibrationCertificate>"


def inside(content: bytes, more: bytes) -> bytes:
    """Return the certificate with something before its end."""
    return content.replace(END, more + END)


def signed(content: bytes, inner: bytes = b"") -> bytes:
    return inside(content, SIGNATURE.format("{}").encode().replace(b"{}", inner))


OBJECT = f'<ds:Object xmlns:ds="{DS}">'.encode()
WRAPPED = {
    # the genuine, signed certificate is kept somewhere in a forged one
    "genuine in the signature": signed(FORGED, OBJECT + GENUINE + b"</ds:Object>"),
    "genuine signed in the signature": signed(FORGED, OBJECT + signed(GENUINE) + b"</ds:Object>"),
    "genuine in the comment": inside(
        FORGED, b"<dcc:comment>" + signed(GENUINE) + b"</dcc:comment>"
    ),
    "genuine first child": FORGED.replace(
        b"<dcc:administrativeData>", signed(GENUINE) + b"<dcc:administrativeData>", 1
    ),
    "genuine in the results": FORGED.replace(b"<dcc:results>", b"<dcc:results>" + GENUINE, 1),
    "genuine in a text": FORGED.replace(b"N-666", b"N-666" + GENUINE, 1),
    "genuine in formula xml": FORGED.replace(
        b"<dcc:data>", b"<dcc:data><dcc:xml>" + GENUINE + b"</dcc:xml>", 1
    ),
    # a root of another name around both
    "envelope": b"<e>" + signed(GENUINE) + FORGED + b"</e>",
    "envelope of the same name in no namespace": (
        b"<digitalCalibrationCertificate schemaVersion='3.3.0'>"
        + signed(GENUINE)
        + b"</digitalCalibrationCertificate>"
    ),
    "envelope of the same name": inside(FORGED, signed(GENUINE)),
    # the signature where it signs something else
    "signature in the core data": FORGED.replace(
        b"<dcc:coreData>", b"<dcc:coreData>" + SIGNATURE.format("").encode(), 1
    ),
    "signature in an item": FORGED.replace(
        b"<dcc:item>", b"<dcc:item>" + SIGNATURE.format("").encode(), 1
    ),
    "signature in a signature": signed(FORGED, SIGNATURE.format("").encode()),
    # two parts of one kind, one of them signed
    "two administrative parts": FORGED.replace(
        b"<dcc:administrativeData>",
        b"<dcc:administrativeData Id='a'><dcc:coreData/></dcc:administrativeData>"
        b"<dcc:administrativeData>",
        1,
    ),
    "two identifiers": FORGED.replace(
        b"<dcc:uniqueIdentifier>",
        b"<dcc:uniqueIdentifier>N-1</dcc:uniqueIdentifier><dcc:uniqueIdentifier>",
        1,
    ),
    "two dates": FORGED.replace(
        b"<dcc:endPerformanceDate>",
        b"<dcc:endPerformanceDate>2020-01-01</dcc:endPerformanceDate><dcc:endPerformanceDate>",
        1,
    ),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapped_certificate_is_refused(name):
    with pytest.raises((Invalid, Refused)) as caught:
        read_dcc(WRAPPED[name])
    assert caught.value.code.startswith("dcc-")
    with pytest.raises((Invalid, Refused)):
        read_verified(WRAPPED[name])


def test_only_the_bytes_that_were_verified_are_read():
    """Whatever stands in the file beside them, the reading comes from them alone."""
    root = parse(signed(GENUINE))
    root.remove(root[-1])
    reading = read_verified(etree.tostring(root, method="c14n"))
    assert (reading.number, reading.is_authentic) == ("N-1", True)
    assert reading == read_verified(etree.tostring(parse(GENUINE), method="c14n"))
    loose = read_dcc(signed(FORGED))
    assert (loose.number, loose.is_authentic) == ("N-666", False)
    assert loose.notes[0].code == "dcc-signature-unchecked"
    assert loose.notes[0].severity == "warning"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Id", "Id"), ("id", "Id"), ("ID", "id"), ("xml:id", "id"), ("id", "id")],
)
def test_two_elements_of_one_id_are_refused(one, other):
    twice = GENUINE.replace(b"<dcc:items>", f'<dcc:items {one}="x">'.encode()).replace(
        b"<dcc:results>", f'<dcc:results {other}="x">'.encode()
    )
    with pytest.raises((Refused, Invalid)) as caught:
        read_dcc(twice)
    assert caught.value.code in {"dcc-duplicate-id", "dcc-unreadable"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"10.00 20.00", b"10.00 2<!-- -->0.00"),
        (b"10.00 20.00", b"<!-- -->10.00 20.00"),
        (b"10.00 20.00", b"10.00 20.00<!-- 1 -->"),
        (b"10.00 20.00", b"1<?x y?>0.00 20.00"),
        (b"N-1", b"N<!-- -->-1"),
        (b"2025-09-01", b"2025-<!-- -->09-01"),
        (b"\\kelvin", b"\\kel<!-- -->vin"),
        (b"0.05 0.06", b"0.0<!-- -->5 0.06"),
        (b"10.00 20.00", b"1<![CDATA[0]]>.00 20.00"),
    ],
)
def test_comment_inside_a_value_is_refused_and_never_joins_or_cuts_it(old, new):
    content = GENUINE.replace(old, new, 1)
    assert content != GENUINE
    if b"CDATA" in new:  # another way to write the same characters
        assert read_dcc(content).tables == read_dcc(GENUINE).tables
        return
    with pytest.raises(Invalid) as caught:
        read_dcc(content)
    assert caught.value.code == "dcc-malformed"


def entity(declared: str, used: bytes = b"&x;") -> bytes:
    return f"<!DOCTYPE d [{declared}]>".encode() + GENUINE.replace(b"N-1", used)


XI = b'xmlns:xi="http://www.w3.org/2001/XInclude"'
URLS = ("file:///etc/hostname", "http://127.0.0.1:9/x", "ftp://127.0.0.1:9/x", "expect://id")
PLAIN = GENUINE.decode()
EXTERNAL = {
    **{f"entity {u}": entity(f'<!ENTITY x SYSTEM "{u}">') for u in URLS},
    **{f"parameter {u}": entity(f'<!ENTITY % p SYSTEM "{u}">%p;', b"N-1") for u in URLS},
    **{f"dtd {u}": f'<!DOCTYPE d SYSTEM "{u}">'.encode() + GENUINE for u in URLS},
    "public dtd": b'<!DOCTYPE d PUBLIC "-//W3C//DTD" "http://127.0.0.1:9/x">' + GENUINE,
    "public entity": entity('<!ENTITY x PUBLIC "a" "file:///etc/hostname">'),
    "entity in an attribute": (
        b'<!DOCTYPE d [<!ENTITY x "3.1.1">]>' + GENUINE.replace(b'"3.2.1"', b'"&x;"')
    ),
    "entity in a number": entity('<!ENTITY x "9">').replace(b"10.00", b"1&x;.00"),
    "nested parameter": entity(
        "<!ENTITY % a \"&#60;!ENTITY x SYSTEM 'file:///etc/hostname'&#62;\">%a;"
    ),
    "default attribute": (b'<!DOCTYPE d [<!ATTLIST d schemaVersion CDATA "3.1.1">]>' + GENUINE),
    "notation": b'<!DOCTYPE d [<!NOTATION n SYSTEM "file:///etc/hostname">]>' + GENUINE,
    "unparsed entity": entity(
        '<!NOTATION n SYSTEM "n"><!ENTITY x SYSTEM "file:///etc/hostname" NDATA n>', b"N-1"
    ),
    "empty doctype": b"<!DOCTYPE d>" + GENUINE,
    "doctype of the root": b"<!DOCTYPE dcc:digitalCalibrationCertificate>" + GENUINE,
    "utf-16": ("<!DOCTYPE d>" + PLAIN).encode("utf-16"),
    "utf-16 big end first": b"\xfe\xff" + ("<!DOCTYPE d>" + PLAIN).encode("utf-16-be"),
    "utf-7": b'<?xml version="1.0" encoding="UTF-7"?>'
    + ("+ADwAIQ-DOCTYPE d+AD4-" + PLAIN).encode(),
    "latin-1": b'<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE d>' + GENUINE,
    "xinclude": GENUINE.replace(
        b"<dcc:coreData>", b"<dcc:coreData><xi:include " + XI + b' href="/etc/hostname"/>'
    ),
    "xinclude as text": GENUINE.replace(
        b"N-1", b"<xi:include " + XI + b' parse="text" href="/etc/hostname"/>'
    ),
    "xinclude fallback": GENUINE.replace(
        b"<dcc:coreData>", b"<dcc:coreData><xi:fallback " + XI + b"/>"
    ),
    "no such entity": GENUINE.replace(b"N-1", b"&x;"),
}


@pytest.mark.parametrize("name", EXTERNAL)
def test_nothing_outside_is_reached(name):
    with pytest.raises((Invalid, Refused)) as caught:
        read_dcc(EXTERNAL[name])
    codes = {"dcc-with-doctype", "dcc-with-inclusion", "dcc-unreadable", "dcc-malformed"}
    assert caught.value.code in codes
    assert len(EXTERNAL) >= 25


BOMBS = textwrap.dedent("""
    def laughs(levels, width):
        declared = "".join(
            f'<!ENTITY l{n} "{f"&l{n - 1};" * width if n else "lol" * 10}">' for n in range(levels)
        )
        return f"<!DOCTYPE d [{declared}]><d>&l{levels - 1};</d>".encode()

    def parameters(levels):
        declared = "".join(f"<!ENTITY % p{n} '{'%p' + str(n - 1) + ';' if n else 'x'}'>"
                           for n in range(levels))
        return f"<!DOCTYPE d [{declared}%p{levels - 1};]><d/>".encode()

    BOMBS = {
        "billion laughs": laughs(10, 10),
        "wide laughs": laughs(4, 3000),
        "quadratic": b'<!DOCTYPE d [<!ENTITY x "' + b"y" * 100_000 + b'">]><d>' + b"&x;" * 50_000
        + b"</d>",
        "parameters": parameters(2000),
        "deep": b"<a>" * 200_000 + b"</a>" * 200_000,
        "wide": GENUINE.replace(b"<dcc:items>", b"<x/>" * 300_000 + b"<dcc:items>"),
        "attributes": b"<a " + b" ".join(b'a%d="1"' % n for n in range(60_000)) + b"/>",
        "one name long": b"<" + b"a" * 10_000_000 + b"/>",
        "text": b"<a>" + b" " * (20 * 1024**2) + b"</a>",
        "values": GENUINE.replace(b"10.00 20.00", b"1 " * 150_000),
        "digits": GENUINE.replace(b"10.00 20.00", b"1" * 5_000_000),
        "comments": GENUINE.replace(b"<dcc:items>", b"<!---->" * 500_000 + b"<dcc:items>"),
    }
""")
MEASURE = """
import resource, sys, time
sys.path.insert(0, {root!r})
from calib.certificates.dcc import read_dcc
from instruments.errors import DomainError
from tests.support.dcc_files import document
GENUINE = document()
{bombs}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, bomb in BOMBS.items():
    start = time.process_time()
    try:
        read_dcc(bomb)
        word = "read"
    except DomainError as refused:
        word = refused.code
    took = time.process_time() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{{name}}|{{word}}|{{took:.3f}}|{{most}}")
"""


def test_bombs_are_refused_within_a_second_and_two_hundred_megabytes():
    code = MEASURE.format(root=str(ROOT), bombs=BOMBS)
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    lines = [line.split("|") for line in ran.stdout.splitlines()]
    assert len(lines) >= 10
    for name, word, took, most in lines:
        assert float(took) <= 1, name
        assert int(most) <= 200 * 1024, name
        assert word.startswith(("dcc-", "decimal-")), (name, word)


def test_attacks_are_of_the_reader_and_not_of_the_test():
    assert read_dcc(GENUINE).number == "N-1"
    assert read_dcc(FORGED).number == "N-666"
    assert read_dcc(inside(GENUINE, b"<dcc:comment>99.00</dcc:comment>")).tables
    assert TABLE in GENUINE.decode()
