"""Certificates of every sort, each held to every program that reads one."""

from __future__ import annotations

import functools
import io
import json
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf
import pytest
from lxml import etree, html

from calib.certificates.dcc import read_dcc
from calib.certificates.document import CertificateDocument
from calib.certificates.pdf import MARK
from calib.certificates.reread import read_file
from calib.certificates.tables import groups_of, output_text
from instruments.quantities import UNITS
from tests.support.dcc_documents import SCHEMAS
from tests.support.hundred import SIMULATED, cases, made, selection
from tests.support.sealed import a_sealed_lab
from tests.support.seals import need_tool
from tests.support.web import TestClient, an_application

XADES = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"
KINDS = {
    "calibration_certificate", "verification_certificate", "verification_notice", "check_record",
}  # fmt: skip
MIMES = {
    "certificate.json": "/application/json",
    "input.json": "/application/json",
    "dcc.xml": "/application/xml",
    MARK: "/text/plain",
}
PYDCC = """
import json, sys, types
stand_in = types.ModuleType("certvalidator")  # its own imports fail on this OpenSSL; unused here
stand_in.CertificateValidator = stand_in.errors = stand_in.ValidationContext = object
sys.modules["certvalidator"] = stand_in
import dcc.dcc
dcc.dcc.DCCXMLValidator = object  # it would fetch schemas from the network
def lists(found):  # one of a unit that D-SI lacks is a hybrid of several
    if isinstance(found, dict):
        if "valueXMLList" in found:
            yield found["valueXMLList"]
        for inner in found.values():
            yield from lists(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from lists(inner)
for name in sys.argv[1:]:
    file = dcc.dcc.DCC(xml_file_name=name, signature_verification=False)
    found = [
        one
        for path, values in file.get_calibration_results("xpath")
        if "basic_1IndexTable" in path
        for one in lists(values)
    ]
    print(json.dumps([file.uid(), str(file.calibration_date().date()), file.version(), found]))
"""


@pytest.mark.slow
def test_certificates_of_every_sort_hold_before_every_reader(tmp_path):
    """One test, so that they are made once however tests are spread over processes."""
    wished = selection()
    files, held = looked_at(tmp_path, wished, amended=2)
    documents = [one.document for one in files]
    assert held == {checked.__name__: len(files) for checked in CHECKS}
    assert set().union(*(case.features for case in wished)) == set().union(
        *(case.features for case in cases())
    )
    assert len(documents) == len(wished) + 2 <= 40
    assert {d.kind for d in documents} == KINDS
    assert {d.language for d in documents} == {"zh", "en", "zh+en"}
    assert {d.result.verdict for d in documents} >= {"pass", "fail", "not_stated"}
    assert any(d.measurement.stages == ("as_found", "as_left") for d in documents)
    assert max(len(d.item.pieces) for d in documents) == 40
    assert any(d.simulated for d in documents)
    assert any(d.include_budget for d in documents)


@pytest.mark.nightly
def test_a_hundred_certificates_hold_before_every_reader(tmp_path):
    files, held = looked_at(tmp_path, cases())
    documents = [one.document for one in files]
    assert held == {checked.__name__: 100 for checked in CHECKS}
    assert len({one.made.case.type_id for one in files}) >= 35
    assert {d.kind for d in documents} == KINDS
    assert {d.language for d in documents} == {"zh", "en", "zh+en"}
    assert sum(d.amendment is not None for d in documents) == 8
    assert sum(d.include_budget for d in documents) >= 20
    assert sum(d.simulated for d in documents) == len(SIMULATED)
    assert sum(d.measurement.stages == ("as_found", "as_left") for d in documents) >= 8
    assert max(len(d.item.pieces) for d in documents) == 40
    assert max(len(d.result.points) for d in documents) > 60


def looked_at(folder, wished, **more):
    """Make what is wished for, hold it to every check, and return it with how many held."""
    lab = a_sealed_lab(folder / "lab")
    try:
        files = [
            Files(lab, one, folder / str(n)) for n, one in enumerate(made(lab, wished, **more))
        ]
        wrong = {checked.__name__: checked(lab, files, folder) for checked in CHECKS}
    finally:
        lab.bench.engine.dispose()
    held = {name: len(files) - len({n for n, _ in found}) for name, found in wrong.items()}
    kinds = Counter(one.document.kind for one in files)
    points = sum(len(one.document.result.points) for one in files)
    lines = [f"{name}: {count} of {len(files)}" for name, count in held.items()]
    sys.stdout.write("\n".join(["", *lines, f"{dict(kinds)}; {points} points", ""]))
    assert {name: found[:3] for name, found in wrong.items() if found} == {}
    return files, held


class Files:
    """The files of one certificate, read once."""

    def __init__(self, lab, one, folder: Path) -> None:
        self.made, self.view = one, one.view
        self.pdf, self.dcc = lab.file(one.view), lab.file(one.view, "dcc")
        read = read_file(self.pdf)
        self.attachments = dict(read.attachments)
        self.document = CertificateDocument.from_dict(
            json.loads(self.attachments["certificate.json"])
        )
        folder.mkdir()
        self.pdf_path, self.dcc_path = folder / "c.pdf", folder / "c.xml"
        self.pdf_path.write_bytes(self.pdf)
        self.dcc_path.write_bytes(self.dcc)

    @property
    def name(self) -> str:
        """Return what a failure is named by."""
        return f"{self.view.number} {self.made.case.type_id}"


# --------------------------------------------------------------------------- the DCC, by strangers


def valid_by_schema(lab, files, folder):
    if not SCHEMAS.is_dir():
        return []  # said once by the tests of the DCC, which are skipped for it
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / "v3.3.0" / "dcc.xsd")))
    return [
        (one.name, str(schema.error_log.last_error))
        for one in files
        if not schema.validate(etree.fromstring(one.dcc))
    ]


def sealed_for_xmlsec(lab, files, folder):
    xmlsec = need_tool("xmlsec1", "xmlsec1")
    root = folder / "root.pem"
    root.write_text("".join(lab.trust().roots))
    known = [xmlsec, "--verify", "--trusted-pem", str(root), "--id-attr:Id", XADES]
    known += ["--verification-time", lab.now.strftime("%Y-%m-%d %H:%M:%S")]
    done = each(files, lambda one: [*known, str(one.dcc_path)])
    return [(one.name, told.stderr[-300:]) for one, told in done if told.returncode != 0]


def read_by_pydcc(lab, files, folder):
    paths = [str(one.dcc_path) for one in files]
    done = ran([sys.executable, "-W", "ignore", "-c", PYDCC, *paths])
    assert done.returncode == 0, done.stderr[-2000:]
    wrong = []
    for one, line in zip(files, done.stdout.splitlines(), strict=True):
        number, on, version, lists = json.loads(line)
        expected = (one.document.number, one.document.performed_on, "3.3.0")
        missing = [c for c in columns_of(one.document) if c not in lists]
        if (number, on, version) != expected or missing:
            wrong.append((one.name, (number, on, version, missing)))
    return wrong


def columns_of(document):
    """Return the columns of results as pydcc gives them: values with a space between."""
    for measurand, _, points in groups_of(document):
        for piece in dict.fromkeys(p.piece for p in points):
            own = [p.printed for p in points if p.piece == piece]
            yield " ".join(p.nominal for p in own)
            yield " ".join(output_text(measurand, p) for p in own)


# --------------------------------------------------------------------------- the PDF, by strangers


def sealed_for_pdfsig(lab, files, folder):
    pdfsig, certutil = need_tool("pdfsig", "poppler-utils"), need_tool("certutil", "libnss3-tools")
    (folder / "nss").mkdir()
    known = ["-d", f"sql:{folder / 'nss'}"]
    assert ran([certutil, "-N", *known, "--empty-password"]).returncode == 0
    for n, root in enumerate(lab.trust().roots):
        (folder / f"{n}.pem").write_text(root)
        add = ["-A", *known, "-n", f"root {n}", "-t", "CT,CT,CT", "-i", str(folder / f"{n}.pem")]
        assert ran([certutil, *add]).returncode == 0
    command = [pdfsig, "-nssdir", f"sql:{folder / 'nss'}"]
    said = ("Signature is Valid", "Total document signed", "ETSI.CAdES.detached")
    return [
        (one.name, done.stdout)
        for one, done in each(files, lambda one: [*command, str(one.pdf_path)])
        if done.stdout.count("Signature #") != 1 or not all(words in done.stdout for words in said)
    ]


def archival(lab, files, folder):
    return [(one.name, found) for one in files if (found := sorted(unfit(one)))]


def unfit(one):
    """Return what a reader of archives would object to."""
    if not one.pdf.endswith(b"%%EOF\n"):
        yield "bytes after the last end mark"
    with pikepdf.open(io.BytesIO(one.pdf)) as file:
        if [str(i.S) for i in file.Root.OutputIntents] != ["/GTS_PDFA1"]:
            yield "output intent"
        with file.open_metadata() as marks:
            said = [
                marks.get(f"pdf{name}") for name in ("aid:part", "aid:conformance", "uaid:part")
            ]
        if said != ["3", "A", "1"]:
            yield f"marks {said}"
        yield from _unattached(one, file)
        fonts = [o for o in file.objects if isinstance(o, pikepdf.Dictionary) and is_font(o)]
        if not fonts or not all(map(is_embedded, fonts)):
            yield "a font that is not embedded"
        seals = [f for f in file.Root.AcroForm.Fields if f.get("/FT") == "/Sig"]
        if len(seals) != 1:
            yield f"{len(seals)} seals"
        start, first, second, last = (int(n) for n in seals[0].V.ByteRange)
        gap = one.pdf[first:second]
        if start != 0 or second + last != len(one.pdf) or not re.fullmatch(rb"<[0-9a-fA-F]+>", gap):
            yield "bytes that are not sealed"


def _unattached(one, file):
    if set(file.attachments) != set(MIMES):
        yield f"attachments {sorted(file.attachments)}"
    related = {str(spec.UF): str(spec.AFRelationship) for spec in file.Root.AF}
    for name, mime in MIMES.items():
        if related.get(name) not in {"/Data", "/Source", "/Supplement", "/Alternative"}:
            yield f"{name} is related as {related.get(name)}"
        found = file.attachments[name].get_file()
        if str(found.obj.Subtype) != mime:
            yield f"{name} is {found.obj.Subtype}"
    if file.attachments["dcc.xml"].get_file().read_bytes() != one.dcc:
        yield "another DCC inside"


def is_font(found) -> bool:
    return found.get("/Type") == "/Font" and found.get("/Subtype") != "/Type0"


def is_embedded(font) -> bool:
    described = font.get("/FontDescriptor")
    return described is not None and any(f"/FontFile{n}" in described for n in ("", "2", "3"))


# --------------------------------------------------------------------------------- each with each


def said_alike(lab, files, folder):
    """Compare every digit, unit and k of JSON, pages (by poppler), DCC and public page."""
    pdftotext = need_tool("pdftotext", "poppler-utils")
    texts = each(files, lambda one: [pdftotext, "-raw", str(one.pdf_path), "-"])
    client = TestClient(an_application(lab.bench.installation, folder / "web"))
    return [
        (one.name, found[:3])
        for one, done in texts
        if (
            found := [
                *unlike_pages(one, done.stdout),
                *unlike_dcc(one),
                *unlike_public(one, client),
            ]
        )
    ]


def unlike_pages(one, text):
    tight = "".join(text.replace("\u2212", "-").split())
    for measurand, _, points in groups_of(one.document):
        compared = measurand.output != "value"
        for point in points:
            p = point.printed
            cells = [p.nominal, *((p.reference, p.indication) if compared else ())]
            cells += [output_text(measurand, p), p.U + ("†" if point.cmc_applied else ""), p.k]
            row = [output_text(measurand, p)] if point.piece else cells
            if "".join(row) not in tight:
                yield ("page", point.key, row)
        for name in (measurand.unit, measurand.output_unit):
            if symbol(name).replace(" ", "") not in tight:
                yield ("unit", measurand.id, symbol(name))


def unlike_dcc(one):
    tables = iter(t for t in read_dcc(one.dcc).tables if t.ref_types == ("basic_1IndexTable",))
    for stage in one.document.measurement.stages:
        for measurand, its_stage, points in groups_of(one.document):
            pieces = dict.fromkeys(p.piece for p in points) if its_stage == stage else ()
            for piece in pieces:
                own = [p.printed for p in points if p.piece == piece]
                table = next(tables)
                last = table.columns[-1].series[-1]
                index = table.column("basic_tableIndex0").series[-1]
                said = [list(x) for x in (index.values, last.values, last.U, last.k)]
                expected = [
                    [p.nominal for p in own], [output_text(measurand, p) for p in own],
                    [p.U for p in own], [p.k for p in own],
                ]  # fmt: skip
                if said != expected:
                    yield ("dcc", measurand.id, said, expected)


def unlike_public(one, client):
    answer = client.get(f"/c/{one.view.token}")
    assert answer.status_code == 200, one.name
    rows = html.fromstring(answer.text).xpath(
        "//table[@class='results']/tbody/tr[not(th/@scope='rowgroup')]"
    )
    said = [
        [" ".join(c.text_content().split()) for c in row.xpath("*[@class='num']")] for row in rows
    ]
    words = {m.id: m for m in one.document.measurement.measurands}
    expected = []
    for point in one.document.result.points[: len(said)]:
        p, measurand = point.printed, words[point.measurand]
        y = symbol(measurand.output_unit)
        cells = [f"{p.nominal} {symbol(measurand.unit)}", f"{output_text(measurand, p)} {y}"]
        expected.append([" ".join(c.split()) for c in (*cells, f"{p.U} {y} ({p.k})")])
    expected = [[c.replace("  ", " ") for c in row] for row in expected]
    if said != expected or len(said) != min(60, len(one.document.result.points)):
        differing = [pair for pair in zip(said, expected, strict=False) if pair[0] != pair[1]]
        yield ("public", len(said), differing[:2])


@functools.cache
def symbol(name: str) -> str:
    return UNITS[name].symbol


def examined(lab, files, folder):
    """Return those of which not every step is established, but for witnesses, which are none."""
    wrong = []
    for one in files:
        report = lab.examined(one.view)
        states = {step.id: step.state for step in report.steps}
        states.pop("witnesses")
        if one.made.is_replaced:
            as_expected = (report.verdict, states.pop("status")) == ("superseded", "contradicted")
        elif one.document.simulated:
            as_expected = (report.verdict, states.pop("simulated")) == ("simulated", "contradicted")
        else:
            as_expected = report.verdict == "valid"
        if not as_expected or set(states.values()) != {"established"} or len(states) < 8:
            wrong.append((one.name, [s.text() for s in report.steps if s.state != "established"]))
    return wrong


def ran(command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def each(files, command):
    """Run a program on every certificate, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return zip(files, pool.map(lambda one: ran(command(one)), files), strict=True)


CHECKS = (
    valid_by_schema, read_by_pydcc, archival, examined, said_alike, sealed_for_pdfsig,
    sealed_for_xmlsec,
)  # fmt: skip
"""What needs another program comes last: where that is missing, the rest has been looked at."""
