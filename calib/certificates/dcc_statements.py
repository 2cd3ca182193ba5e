"""The statements of a DCC: everything a certificate declares that is no number of a result."""

from __future__ import annotations

from typing import Final

from calib.certificates.dcc_xml import Element, Texts, Voice, contents, dcc, same, some, worded
from calib.certificates.document import CertificateDocument
from calib.certificates.sections import (
    NOT_IN_PART,
    RELATES_ONLY,
    REPRODUCIBLE,
    TRACEABILITY,
)
from calib.certificates.statement import UNCONFIRMED
from calib.certificates.tables import piece_name
from calib.certificates.wording import (
    ORIGINS,
    PLACES,
    STATEMENT_OF_REST,
    STATEMENTS,
    TITLES,
    Speaker,
)
from calib.evaluation.result import Verdict
from calib.i18n import both
from instruments.text import LANGUAGES

ISO17025: Final = "ISO/IEC 17025:2017"
CONFORMITY: Final[dict[Verdict, str]] = {
    "pass": "pass",
    "conditional_pass": "conditionalPass",
    "undetermined": "noPass",
    "conditional_fail": "conditionalFail",
    "fail": "fail",
}
"""The word of the schema for each verdict; where neither can be stated, a pass was not."""


def add_statements(
    admin: Element, voice: Voice, document: CertificateDocument, digest: str
) -> None:
    """Append every statement of the document, each under a refType of its own."""
    parent = dcc(admin, "statements")
    _said(parent, "calib_title", voice.say(TITLES[document.kind]), norm=ISO17025)
    if document.lab.authorisation:
        number = document.lab.authorisation
        words = voice.say("Authorisation no. {number}", number=number)
        _said(parent, "calib_authorisation", words, reference=number)
    _place(parent, voice, document)
    for clause, sentence in (("7.8.2.1 (l)", RELATES_ONLY), ("7.8.2.1", NOT_IN_PART)):
        _said(parent, "calib_declaration", voice.say(sentence), norm=ISO17025, reference=clause)
    _conformity(parent, voice, document)
    _examinations(parent, voice, document)
    _dates(parent, voice, document)
    if document.amendment:
        words = voice.say(
            "This document replaces {number} in full. Reason: {reason}",
            number=document.amendment.replaces,
            reason=document.amendment.reason,
        )
        _said(parent, "calib_amendment", words, norm=ISO17025, reference="7.8.8")
    _texts(parent, voice, document)
    if document.result.points:
        words = voice.say(TRACEABILITY)
        if document.traceability:
            words = voice.label(document.traceability)
        statement = dcc(parent, "statement", kind="calib_traceability")
        dcc(statement, "traceable", "true")
        worded(statement, "declaration", words)
    if document.simulated:
        # in both languages whatever the document's: nobody may take it for a certificate
        words = Voice(Speaker(LANGUAGES)).say("SIMULATED READINGS: nothing was measured.")
        _said(parent, "calib_simulated", words)
    _provenance(parent, voice, document, digest)


def _said(
    parent: Element, kind: str, words: Texts, *, norm: str = "", reference: str = ""
) -> Element:
    """Append a statement of words with where it comes from."""
    statement = dcc(parent, "statement", kind=kind)
    some(statement, "norm", norm)
    some(statement, "reference", reference)
    worded(statement, "declaration", words)
    return statement


def _place(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    place = document.place
    statement = _said(parent, "calib_place", voice.say(PLACES[place.kind]))
    further = worded(dcc(statement, "location"), "further", voice.label(place.name))
    contents(further, same(place.address) if place.address else (), "calib_address")


def _conformity(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    """Append the statement of conformity with its rule, its limits and who compared them."""
    measured, verdict = document.measurement, document.result.verdict
    rejected = [p.piece for p in document.result.pieces if p.piece and p.verdict != "pass"]
    some_pass = verdict == "pass" and rejected
    statement = dcc(parent, "statement", kind="basic_conformity")
    dcc(statement, "convention", measured.rule.id)
    for document_id in dict.fromkeys(source.document for source in measured.limits):
        some(statement, "norm", document_id)
    words = voice.say(STATEMENT_OF_REST if some_pass else STATEMENTS[verdict])
    declared = worded(statement, "declaration", words)
    if measured.rule.id != "none":
        for language in voice.speaker.languages:
            rule = Speaker((language,)).rule(measured.rule)
            contents(declared, ((language, rule[0]),), "calib_decisionRule")
        for piece in rejected:
            contents(declared, same(piece_name(document, piece)), "calib_pieceNotPassing")
        # of a batch with rejects neither word holds for the whole
        if verdict in CONFORMITY and not some_pass:
            dcc(statement, "conformity", CONFORMITY[verdict])
        _limits(parent, voice, document)
    if document.result.unconfirmed_limits:
        documents = ", ".join(document.result.unconfirmed_limits)
        _said(parent, "calib_unconfirmedLimits", voice.say(UNCONFIRMED, documents=documents))


def _limits(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    measured = document.measurement
    for source in measured.limits:
        words = voice.say(
            "Limits by {document} ({origin}): {names}.",
            document=", ".join(filter(None, (source.document, source.clause))),
            origin=both(ORIGINS[source.origin]),
            names=measured.measurand(source.measurand).name,
        )
        reference = source.clause
        _said(parent, "calib_limits", words, norm=source.document, reference=reference)
    made = dict.fromkeys(source.confirmed for source in measured.limits)
    for one in made:
        if one is None:
            continue
        words = voice.say(
            "Limits compared with the document {document} by {person} on {on}.",
            document=", ".join(filter(None, (one.document, one.clause))),
            person=one.person,
            on=one.on,
        )
        _said(parent, "calib_limitsCompared", words)


def _examinations(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    for seen in document.measurement.examinations:
        statement = dcc(parent, "statement", kind="calib_examination")
        worded(statement, "name", voice.label(seen.name))
        some(statement, "norm", seen.document)
        outcome = "Requirement met" if seen.passed else "Requirement not met"
        declared = worded(statement, "declaration", voice.say(outcome))
        contents(declared, same(seen.remark) if seen.remark else (), "calib_remark")
        for piece in seen.rejected_pieces:
            contents(declared, same(piece_name(document, piece)), "calib_pieceNotPassing")
        dcc(statement, "conformity", "pass" if seen.passed else "fail")


def _dates(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    dated = []
    if document.valid_until:
        dated.append(("calib_validUntil", "Valid until", document.valid_until))
    if document.next_due_on and document.interval_agreed:
        sentence = "Next calibration (agreed with the customer)"
        dated.append(("basic_recalibration", sentence, document.next_due_on))
    for kind, sentence, on in dated:
        dcc(_said(parent, kind, voice.say(sentence)), "date", on)


def _texts(parent: Element, voice: Voice, document: CertificateDocument) -> None:
    """Append what people wrote in their own words, each under a heading."""
    written = (
        ("calib_deviation", "Additions to, deviations from the method", document.deviations),
        ("calib_sampling", "Sampling", (document.sampling,) if document.sampling else ()),
        ("calib_externalResult", "Results of external providers", document.external_results),
        ("calib_opinion", "Opinions and interpretations", document.opinions),
        ("calib_remark", "Remarks", document.remarks),
    )
    for kind, heading, texts in written:
        for text in texts:
            statement = dcc(parent, "statement", kind=kind)
            worded(statement, "name", voice.say(heading))
            worded(statement, "declaration", same(text))
    if document.item.customer_supplied:
        sentence = "* Supplied by the customer; the laboratory is not responsible for it."
        statement = _said(parent, "calib_suppliedByCustomer", voice.say(sentence))
        for field in document.item.customer_supplied:
            contents(statement[-1], same(field), "calib_field")


def _provenance(parent: Element, voice: Voice, document: CertificateDocument, digest: str) -> None:
    """Append from what the certificate can be made and computed again."""
    made = document.provenance
    statement = dcc(parent, "statement", kind="calib_provenance")
    for name, value in (
        ("document", digest),
        ("input", document.result.input_digest),
        ("template", made.template_digest),
        ("fonts", made.fonts_digest),
        ("type", f"{document.measurement.type_id} {document.measurement.type_version}"),
        ("definition", document.measurement.definition_digest),
        ("instant", document.issued_at),
    ):
        some(statement, "reference", f"{name} {value}" if value else "")
    worded(statement, "declaration", voice.say(REPRODUCIBLE))
