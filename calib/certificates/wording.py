"""The words of a certificate: verdicts, rules, roles and units, in the languages it is written in.

A `Speaker` answers with one entry per language, first language first, so that layouts never ask
which language it is. Knows nothing of pages or files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from calib.certificates.document import (
    CertificateDocument,
    DocumentKind,
    DocumentLanguage,
    Measurement,
)
from calib.evaluation.inputs import DecisionRule
from calib.evaluation.result import Verdict
from calib.i18n import translate
from instruments.quantities import unit as unit_of
from instruments.text import LANGUAGES, Language, LocalizedText

_ENGLISH = re.compile(r"[a-z]{3}")
"""What a document is called by in the absence of a number, as ``Laboratory procedure, pumps``."""
_NUMBER = re.compile(r"[A-Z][A-Z/]* \d[\d.-]*\b")
Words = tuple[str, ...]
"""The same words once per language of the document; one entry when they do not differ."""

RANGE = " … "
TITLES: dict[DocumentKind, str] = {
    "calibration_certificate": "Calibration Certificate",
    "verification_certificate": "Verification Certificate",
    "verification_notice": "Notice of Verification Result",
    "check_record": "Check Record",
}
VERDICTS: dict[Verdict, str] = {
    "pass": "Pass",
    "conditional_pass": "Conditional pass",
    "undetermined": "Undetermined",
    "conditional_fail": "Conditional fail",
    "fail": "Fail",
    "cannot_be_stated": "—",
    "not_stated": "—",
    "not_calibratable": "—",
}
STATEMENTS: dict[Verdict, str] = {
    "pass": "Pass. Every result lies within its limits by the decision rule named here.",
    "conditional_pass": "Conditional pass. Every value lies within its limits, but for at least "
    "one of them a limit lies inside the uncertainty interval: conformity cannot be stated at a "
    "coverage probability of 95 %.",
    "undetermined": "Undetermined. At least one result lies so close to its limit that neither "
    "conformity nor nonconformity can be stated.",
    "conditional_fail": "Conditional fail. At least one value lies outside its limits, with the "
    "limit inside the uncertainty interval: nonconformity cannot be stated at a coverage "
    "probability of 95 %.",
    "fail": "Fail. At least one result lies outside its limits by the decision rule named here, or "
    "an examination was not met.",
    "cannot_be_stated": "A statement about the limits was agreed, but it cannot be made: a limit, "
    "a point or an uncertainty it needs is missing.",
    "not_stated": "No statement of conformity was agreed; the results stand for themselves.",
    "not_calibratable": "The item gives no access to its measurement; nothing was measured.",
}
STATEMENT_OF_REST = (
    "Pass for every piece not listed here as not passing, by the decision rule named here."
)
RULES: dict[str, str] = {
    "regulation": "Decision rule (regulation): as written in the governing document; the error is "
    "compared with its limits, the uncertainty was judged when the document was written.",
    "simple": "Decision rule (simple): simple acceptance, ILAC-G8:09/2019, guard band w = 0. The "
    "specific risk of a wrong pass is at most 50 %.",
    "guard_U": "Decision rule (guard_U): ILAC-G8:09/2019, guard band w = U. The specific risk of a "
    "wrong pass is below 2.5 %.",
    "guard_U_nonbinary": "Decision rule (guard_U_nonbinary): ILAC-G8:09/2019, guard band w = U, "
    "four answers. The specific risk of a wrong pass is below 2.5 %.",
    "guard_rU": "Decision rule (guard_rU): guard band w = {parameter} U.",
    "iso14253_1": "Decision rule (iso14253_1): ISO 14253-1, guard band w = 1.65 u. The specific "
    "risk of a wrong pass is at most 5 %.",
    "z5403": "Decision rule (z5403): managed guard band for a global risk of a wrong pass of at "
    "most 2 %.",
    "tur4": "Decision rule (tur4): simple acceptance, allowed only where the limit is at least "
    "four times U.",
    "jjf1094": "Decision rule (jjf1094): JJF 1094-2002. Where U is at most one third of the limit, "
    "it is neglected; otherwise the limit is narrowed by U for a pass and widened by U for a fail.",
    "probability": "Decision rule (probability): pass where the conformance probability is at "
    "least {parameter}.",
}
ORIGINS = {
    "type": "limits of the type",
    "maker": "limits stated by the manufacturer",
    "customer": "limits agreed with the customer",
}
PERFORMED = {
    "calibration_certificate": "Calibrated by",
    "verification_certificate": "Verified by",
    "verification_notice": "Verified by",
    "check_record": "Checked by",
}
PERFORMED_ON = {
    "calibration_certificate": "Performed on",
    "verification_certificate": "Verified on",
    "verification_notice": "Verified on",
    "check_record": "Checked on",
}
POINTS = {
    "calibration_certificate": "Calibration point",
    "verification_certificate": "Verification point",
    "verification_notice": "Verification point",
    "check_record": "Check point",
}
PLACES = {
    "laboratory": "In the laboratory",
    "customer_site": "On site at the customer",
    "other_site": "At another site",
}
OUTPUTS = {
    "error": "Error of indication",
    "correction": "Correction",
    "relative_error": "Relative error",
    "value": "Result",
}
SYMBOLS = {"error": "E", "correction": "C", "relative_error": "δ", "value": "y"}
STAGES = {"as_found": "As found", "as_left": "As left"}
CONDITIONS = {
    "temperature": "Ambient temperature",
    "relative_humidity": "Relative humidity",
    "pressure": "Atmospheric pressure",
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says the same thing in each language of a document."""

    languages: tuple[Language, ...]

    @classmethod
    def of(cls, language: DocumentLanguage) -> Speaker:
        """Return the speaker of a document's language."""
        return cls(("zh", "en") if language == "zh+en" else (language,))

    def say(self, message_id: str, /, **facts: object) -> Words:
        """Return a sentence of the catalogue; facts may be labels in several languages."""
        return _distinct(
            translate(
                message_id,
                language,
                **{
                    key: fact.text(language) if isinstance(fact, LocalizedText) else fact
                    for key, fact in facts.items()
                },
            )
            for language in self.languages
        )

    def label(self, text: LocalizedText) -> Words:
        """Return a label that brings its own translations."""
        return _distinct(text.text(language) for language in self.languages)

    def title(self, document: CertificateDocument) -> Words:
        """Return the title of the document."""
        return self.say(TITLES[document.kind])

    def rule(self, rule: DecisionRule) -> Words:
        """Return what the decision rule means; empty when none was agreed."""
        if rule.id == "none":
            return ()
        return self.say(RULES[rule.id], parameter=rule.parameter or "")


def document_name(measured: Measurement, id_: str) -> LocalizedText:
    """Return how a governing document is called: a number as it is, English words by the title."""
    title = next((m.title.zh for m in measured.methods if m.id == id_), None)
    if title is None or not _ENGLISH.search(id_):
        return LocalizedText(en=id_, zh=id_)
    number = _NUMBER.match(id_)
    return LocalizedText(en=id_, zh=f"{number.group()} {title}" if number else title)


def documents_named(measured: Measurement, ids: Iterable[str]) -> LocalizedText:
    """Return the names of governing documents as one label."""
    names = [document_name(measured, id_) for id_ in ids]
    return LocalizedText(
        **{language: ", ".join(n.text(language) for n in names) for language in LANGUAGES}
    )


def plain(text: str) -> Words:
    """Return words that are the same in every language."""
    return (text,)


def span(texts: Sequence[str]) -> str:
    """Return the lowest and the highest of decimal texts as they are; empty for none."""
    if not texts:
        return ""
    low, high = min(texts, key=Decimal), max(texts, key=Decimal)
    return low if Decimal(low) == Decimal(high) else f"{low}{RANGE}{high}"


def unit(name: str) -> str:
    """Return how a unit is printed, e.g. ``°C`` for ``degC``; empty for the unit one."""
    if name == "1":
        return ""
    return unit_of(name).symbol


def _distinct(texts: Iterable[str]) -> Words:
    return tuple(dict.fromkeys(texts))
