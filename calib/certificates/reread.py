"""The finished file is read again and compared with the document it was made from.

The text is taken out of the PDF by another library than the one that wrote it; what was to be said
and what can be read must be the same numbers in the same rows. Knows nothing of templates.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pypdfium2  # type: ignore[import-untyped]

from calib.certificates.document import CertificateDocument, MeasurandWords
from calib.certificates.layout import END_MARK, band_of
from calib.certificates.sections import NOT_IN_PART, RELATES_ONLY, UNCERTAINTY
from calib.certificates.tables import (
    batch_parts,
    groups_of,
    limits_text,
    output_text,
    piece_name,
    place_of,
)
from calib.certificates.wording import STATEMENTS, TITLES, Speaker, document_name
from calib.evaluation.result import PointResult, Verdict
from instruments.errors import Finding

PDFIUM: Final = threading.RLock()
"""Held by whoever calls PDFium: it serves one thread at a time, and crashes with two."""
MAX_PAGES = 1000
MAX_ATTACHMENTS = 32
_CLAUSE = "ISO/IEC 17025:2017 "
_HYPHENS = ("\u0002", "\ufffe", "\u2212")
_SILENT: set[Verdict] = {"not_stated", "cannot_be_stated", "not_calibratable"}
RULES: dict[str, tuple[str, str]] = {
    "file-unreadable": (_CLAUSE + "7.8.1.2", "The rendered file cannot be opened: {problem}."),
    "file-not-archival": (
        "ISO 19005-3; ISO 14289-1", "The file does not declare {standard}.",
    ),
    "file-text-missing": (
        _CLAUSE + "7.8.2.1", "The file does not show {name}: {expected} cannot be read in it.",
    ),
    "file-row-missing": (
        _CLAUSE + "7.8.2.1 (m)",
        "The file does not show the row of {key}: {expected} cannot be read in this order.",
    ),
    "file-page-number": (_CLAUSE + "7.8.2.1 (d)", "Page {page} does not say {expected}."),
    "file-mark-missing": (
        _CLAUSE + "7.8.1.2", "Page {page} does not say that its readings were simulated.",
    ),
    "file-end-mark": (_CLAUSE + "7.8.2.1 (d)", "The end mark must close the last page, once."),
    "file-conformity-word": (
        _CLAUSE + "7.8.6", "The file states {statement}, but the verdict is {verdict}.",
    ),
    "file-preview": (_CLAUSE + "7.8.1.2", "The file bears the watermark of a preview."),
    "file-attachment": (_CLAUSE + "7.5.1", "The attachment {name} is missing or differs."),
}  # fmt: skip
"""Code to clause and sentence; every one of them is an error."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What can be read in a file."""

    pages: tuple[str, ...]
    """Text of each page; runs of space are one space."""
    attachments: Mapping[str, bytes]

    @property
    def text(self) -> str:
        """Return the text of all pages."""
        return " ".join(self.pages)


def read_file(pdf: bytes) -> ReadFile:
    """Return text and attachments of a PDF.

    Raises ValueError when it has more pages or attachments than any certificate, or one name twice.
    """
    with PDFIUM:
        return _read_file(pdf)


def _read_file(pdf: bytes) -> ReadFile:
    opened = pypdfium2.PdfDocument(pdf)
    try:
        if len(opened) > MAX_PAGES or opened.count_attachments() > MAX_ATTACHMENTS:
            raise ValueError("it has more pages or attachments than any certificate")
        pages = tuple(_plain(page.get_textpage().get_text_bounded()) for page in opened)
        attached = [opened.get_attachment(i) for i in range(opened.count_attachments())]
        files = {a.get_name(): bytes(a.get_data()) for a in attached}
        if len(files) < len(attached):
            raise ValueError("two attachments have one name")
        return ReadFile(pages, files)
    finally:
        opened.close()


def reread(
    document: CertificateDocument, pdf: bytes, attachments: Mapping[str, bytes]
) -> tuple[Finding, ...]:
    """Return every difference between the document and the file made from it."""
    try:
        seen = read_file(pdf)
    except pypdfium2.PdfiumError as problem:
        return (_finding("file-unreadable", problem=str(problem)),)
    return (
        *_archival(pdf),
        *_pages(document, seen),
        *_texts(document, seen),
        *_rows(document, seen),
        *_words(document, seen),
        *_attached(document, seen, attachments),
    )


def _archival(pdf: bytes) -> Iterator[Finding]:
    marks = {
        "PDF/A-3a": (rb"pdfaid:part\D{1,3}3", rb"pdfaid:conformance\W{1,3}A"),
        "PDF/UA-1": (rb"pdfuaid:part\D{1,3}1",),
    }
    for standard, patterns in marks.items():
        if not all(re.search(pattern, pdf) for pattern in patterns):
            yield _finding("file-not-archival", standard=standard)


def _pages(document: CertificateDocument, seen: ReadFile) -> Iterator[Finding]:
    speaker = Speaker.of(document.language)
    total = len(seen.pages)
    pages = [_tight(page) for page in seen.pages]
    for i, text in enumerate(pages, 1):
        for expected in (*_paging(speaker, i, total), document.number):
            if _tight(expected) not in text:
                yield _finding("file-page-number", page=i, expected=expected)
        if document.simulated and _band(document) not in text:
            yield _finding("file-mark-missing", page=i)
    marks = [_tight(mark) for mark in speaker.say(END_MARK)]
    counts = [[page.count(mark) for page in pages] for mark in marks]
    if any(sum(count) != 1 or count[-1] != 1 for count in counts):
        yield _finding("file-end-mark")


def _paging(speaker: Speaker, page: int, total: int) -> list[str]:
    words = {"zh": f"第 {page} 页 共 {total} 页", "en": f"Page {page} of {total}"}
    return [words[language] for language in speaker.languages]


def _band(document: CertificateDocument) -> str:
    """Return the band of simulated readings without spaces; empty where there is none."""
    if not document.simulated:
        return ""
    band = band_of(Speaker.of(document.language))
    return _tight("".join((*band["loud"], *band["words"])))


def _body(document: CertificateDocument, seen: ReadFile) -> str:
    """Return the text without spaces, heads and feet, so that it runs on over page breaks."""
    speaker = Speaker.of(document.language)
    head = [*speaker.label(document.lab.name), *speaker.title(document), document.number]
    foot = [*speaker.say("Certificate no."), document.number]
    bodies = []
    for i, page in enumerate(seen.pages, 1):
        paging = "·".join(_paging(speaker, i, len(seen.pages)))
        text = _tight(page).replace(_tight("".join([*foot, paging])), "", 1)
        text = text.replace(_band(document), "", 1)
        bodies.append(text if i == 1 else text.replace(_tight("".join(head)), "", 1))
    return "".join(bodies)


def _texts(document: CertificateDocument, seen: ReadFile) -> Iterator[Finding]:
    speaker = Speaker.of(document.language)
    text = _body(document, seen)
    for name, expected in _expected_texts(document, speaker):
        if expected and _tight(expected) not in text:
            yield _finding("file-text-missing", name=name, expected=expected)


def _expected_texts(document: CertificateDocument, speaker: Speaker) -> Iterator[tuple[str, str]]:
    """Return everything that must be readable somewhere, with its name."""
    yield from _of_parties(document, speaker)
    yield from _of_measurement(document, speaker)
    for field in (
        "number", "address", "order_number", "received_on", "performed_from", "performed_on",
        "issued_on", "valid_until", "sampling", "issued_at",
    ):  # fmt: skip
        yield field, getattr(document, field) or ""
    if document.interval_agreed:
        yield "next_due_on", document.next_due_on or ""
    if document.amendment:
        yield "replaced certificate", document.amendment.replaces
        yield "reason", document.amendment.reason
    for texts in (
        document.deviations, document.remarks, document.opinions, document.external_results,
    ):  # fmt: skip
        yield from (("remark", text) for text in texts)
    for sentence in (RELATES_ONLY, NOT_IN_PART, *([UNCERTAINTY] if document.result.points else [])):
        for words in speaker.say(sentence):
            yield "declaration", words.replace("ν_eff", "νeff")


def _of_parties(document: CertificateDocument, speaker: Speaker) -> Iterator[tuple[str, str]]:
    item, lab, customer = document.item, document.lab, document.customer
    yield from (("title", words) for words in speaker.say(TITLES[document.kind]))
    for label in (lab.name, lab.address, customer.name, item.name, document.place.name):
        yield from (("name or address", words) for words in speaker.label(label))
    for field in (
        "maker", "model", "serial", "asset_number", "barcode", "condition", "calibration_mode",
    ):  # fmt: skip
        yield f"item {field}", getattr(item, field)
    yield from (("piece", piece) for piece in item.pieces)
    yield "customer address", customer.address
    yield "customer contact", customer.contact
    yield "accreditation", lab.accreditation
    yield "authorisation", lab.authorisation
    yield from (("person", person.name) for person in document.persons)
    yield from (("time of a signature", person.signed_words()) for person in document.persons)


def _of_measurement(document: CertificateDocument, speaker: Speaker) -> Iterator[tuple[str, str]]:
    measured = document.measurement
    for standard in measured.standards:
        for field in (
            "model", "serial", "range", "uncertainty", "certificate_number", "issuer",
            "calibrated_on", "valid_until",
        ):  # fmt: skip
            yield f"standard {field}", getattr(standard, field) or ""
    for condition in measured.conditions:
        yield "condition", condition.low
        yield "condition", condition.high
    for id_ in document.result.unconfirmed_limits:
        yield from (("unconfirmed limits", n) for n in speaker.label(document_name(measured, id_)))
    confirmed = (source.confirmed for source in measured.limits if measured.rule.id != "none")
    yield from (("limits compared by", one.person) for one in confirmed if one is not None)
    for seen in measured.examinations:
        yield "examination", seen.name.text(speaker.languages[0])
        yield "examination remark", seen.remark


def _rows(document: CertificateDocument, seen: ReadFile) -> Iterator[Finding]:
    text = seen.text
    for key, cells in _expected_rows(document):
        pattern = r"\s+".join(_loosely(cell) for cell in cells)
        if not re.search(rf"(?<![\w.-]){pattern}(?![\w.])", text):
            yield _finding("file-row-missing", key=key, expected=" | ".join(cells))


def _expected_rows(document: CertificateDocument) -> Iterator[tuple[str, list[str]]]:
    """Return rows of numbers that must stand in this order."""
    for measurand, _, points in groups_of(document):
        yield from _rows_of_pieces(document, measurand, points)
        for point in points:
            if point.piece:
                continue
            shown = point.printed
            value = output_text(measurand, shown)
            limits = limits_text(shown.lower, shown.upper)
            mark = "†" if point.cmc_applied else ""
            # a value is no difference from a reference, so neither stands beside it
            sides = [] if measurand.output == "value" else [shown.reference, shown.indication]
            yield point.key, [shown.nominal, *sides, value, shown.U + mark, shown.k]
            if limits != "—":
                yield f"{point.key} limits", [limits]
            if document.include_budget:
                yield f"{point.key} budget", [shown.u]
    for curve in document.result.curves:
        for parameter in curve.parameters:
            yield parameter.name, [parameter.name, parameter.printed]
        for p in curve.predictions:
            mark = "*" if p.extrapolated else ""
            yield f"x = {p.x}", [p.x + mark, p.printed, p.printed_value, p.printed_U]


def _rows_of_pieces(
    document: CertificateDocument, measurand: MeasurandWords, points: Sequence[PointResult]
) -> Iterator[tuple[str, list[str]]]:
    """Return what each piece gave at the points of each table of a batch."""
    values: dict[int, dict[str, str]] = {}
    for point in points:
        if point.piece:
            values.setdefault(point.piece, {})[place_of(point)] = output_text(
                measurand, point.printed
            )
    for part in batch_parts(measurand, points) if values else []:
        for piece, by_place in values.items():
            name = piece_name(document, piece)
            yield name, [name, *(by_place[place] for place in part if place in by_place)]


def _words(document: CertificateDocument, seen: ReadFile) -> Iterator[Finding]:
    text = _body(document, seen)
    speaker = Speaker.of(document.language)
    if document.result.verdict in _SILENT:
        for verdict, sentence in STATEMENTS.items():
            if verdict in _SILENT:
                continue
            for words in speaker.say(sentence):
                if _tight(words) in text:
                    yield _finding(
                        "file-conformity-word", statement=verdict, verdict=document.result.verdict
                    )
    if "PREVIEW预览" in text:
        yield _finding("file-preview")


def _attached(
    document: CertificateDocument, seen: ReadFile, attachments: Mapping[str, bytes]
) -> Iterator[Finding]:
    for name, content in {"certificate.json": document.canonical(), **attachments}.items():
        if seen.attachments.get(name) != content:
            yield _finding("file-attachment", name=name)


def _finding(code: str, **facts: object) -> Finding:
    clause, message = RULES[code]
    return Finding(code=code, message=message, facts=facts, clause=clause)


def _loosely(cell: str) -> str:
    """Return a pattern that lets a long cell be broken into lines anywhere."""
    if re.fullmatch(r"[-+\d.()†*]+", cell):
        return re.escape(cell)
    return r"\s*".join(re.escape(c) for c in cell if not c.isspace())


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", _hyphened(text))


def _tight(text: str) -> str:
    return "".join(_hyphened(text).split())


def _hyphened(text: str) -> str:
    # PDFium gives a hyphen at a line's end as U+0002 or U+FFFE; a minus may be U+2212
    for sign in _HYPHENS:
        text = text.replace(sign, "-")
    return text
