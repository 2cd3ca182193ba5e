"""The statement of conformity: verdict, rejects, decision rule, where the limits come from.

Which words are true is decided here from the frozen result; nothing is judged again.
"""

from __future__ import annotations

from collections.abc import Iterable

from calib.certificates.blocks import Block, loud, note, paragraph
from calib.certificates.document import CertificateDocument, MeasurandWords, Measurement
from calib.certificates.tables import groups_of, piece_name
from calib.certificates.wording import (
    ORIGINS,
    STAGES,
    STATEMENT_OF_REST,
    STATEMENTS,
    Speaker,
    Words,
    document_name,
    documents_named,
    unit,
)
from calib.i18n import both
from instruments.text import LANGUAGES, LocalizedText

UNCONFIRMED = (
    "UNCONFIRMED LIMITS: the limits from {documents} have not been confirmed against the published "
    "document."
)


def statement_blocks(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    """Return rule, limits, verdict and, for a batch, the rejects by name."""
    measured, verdict = document.measurement, document.result.verdict
    blocks: list[Block] = []
    rule = speaker.rule(measured.rule)
    rejected = [p for p in document.result.pieces if p.piece and p.verdict != "pass"]
    some = verdict == "pass" and rejected
    statement = speaker.say(STATEMENT_OF_REST if some else STATEMENTS[verdict])
    if rule and "as_left" in measured.stages:  # results as found may say otherwise
        pairs = zip(speaker.say(STAGES["as_left"]), statement, strict=True)
        statement = tuple(f"{stage} · {words}" for stage, words in pairs)
    blocks.append(paragraph(statement))
    if rejected and measured.rule.id != "none":
        names = ", ".join(piece_name(document, p.piece) for p in rejected)
        blocks.append(
            loud(
                speaker.say(
                    "Pieces that do not pass ({count} of {total}): {names}",
                    count=len(rejected),
                    total=document.item.quantity,
                    names=names,
                )
            )
        )
    blocks += _failing(speaker, document)
    if rule:
        blocks.append(paragraph(rule))
        blocks += [note(words) for words in _sources(speaker, document)]
        blocks += [note(words) for words in _comparisons(speaker, document)]
    if document.result.unconfirmed_limits:
        blocks.append(
            loud(
                speaker.say(
                    UNCONFIRMED,
                    documents=documents_named(measured, document.result.unconfirmed_limits),
                )
            )
        )
    return blocks


def _sources(speaker: Speaker, document: CertificateDocument) -> list[Words]:
    """Say where the limits come from, and of which quantities there are none."""
    measured = document.measurement
    found: dict[tuple[str, str, str], list[MeasurandWords]] = {}
    for source in measured.limits:
        named = found.setdefault((source.document, source.clause, source.origin), [])
        if (measurand := measured.measurand(source.measurand)) not in named:
            named.append(measurand)
    judged = {source.measurand for source in measured.limits}
    bare = {g[0].id: g[0] for g in groups_of(document) if g[0].id not in judged}
    said = [
        speaker.say(
            "Limits by {document} ({origin}): {names}.",
            document=with_clause(measured, number, clause),
            origin=both(ORIGINS[origin]),
            names=_names(named),
        )
        for (number, clause, origin), named in found.items()
    ]
    if bare:
        sentence = "Without limits, and so without a statement: {names}."
        said.append(speaker.say(sentence, names=_names(bare.values())))
    return said


def with_clause(measured: Measurement, id_: str, clause: str) -> LocalizedText:
    """Return a governing document by its name, with the clause that is meant."""
    named = document_name(measured, id_)
    return LocalizedText(
        **{
            language: ", ".join(filter(None, (named.text(language), clause)))
            for language in LANGUAGES
        }
    )


def _names(measurands: Iterable[MeasurandWords]) -> LocalizedText:
    """Return the names of quantities as one label."""
    named = list(measurands)
    return LocalizedText(
        **{language: "; ".join(m.name.text(language) for m in named) for language in LANGUAGES}
    )


def _comparisons(speaker: Speaker, document: CertificateDocument) -> list[Words]:
    """Say who of the laboratory compared the limits with their document, once per comparison."""
    made = dict.fromkeys(source.confirmed for source in document.measurement.limits)
    return [
        speaker.say(
            "Limits compared with the document {document} by {person} on {on}.",
            document=with_clause(document.measurement, one.document, one.clause),
            person=one.person,
            on=one.on,
        )
        for one in made
        if one is not None
    ]


def _failing(speaker: Speaker, document: CertificateDocument) -> list[Block]:
    """Name the points of the item that fail, as it was left."""
    last = {p.measurand: p.stage for p in document.result.points}  # as left follows as found
    failing = [
        (document.measurement.measurand(p.measurand), p.printed.nominal)
        for p in document.result.points
        if p.verdict == "fail" and not p.piece and p.stage == last[p.measurand]
    ]
    if not failing:
        return []
    items = LocalizedText(
        **{
            language: "; ".join(f"{m.name.text(language)} {x} {unit(m.unit)}" for m, x in failing)
            for language in LANGUAGES
        }
    )
    return [paragraph(speaker.say("Not conforming: {items}", items=items))]
