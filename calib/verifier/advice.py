"""What whoever holds a certificate does next, in one plain sentence for each thing that was found.

The page in the browser is handed the same sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from calib.verifier.evidence import NOBODY, STRANGE_HEAD
from calib.verifier.marks import STRANGE_CODE
from calib.verifier.report import ORIGIN, ORIGIN_OF_CODE, Report
from calib.verifier.seals import STRANGE_SEAL

UNTRUSTED: Final = (
    "The seal leads to no key this installation vouches for: {reason}. Anybody can make a seal "
    "that bears the name of a laboratory; do not rely on it."
)
"""As it is raised where chains of seals are followed."""
STRANGERS: Final = (STRANGE_HEAD, STRANGE_CODE, STRANGE_SEAL, UNTRUSTED)
"""Sentences of steps that a wrong trust bundle leads to as well as a forgery."""
NEXT_WORDS: Final[Mapping[str, str]] = {
    "valid": (
        "Compare number, serial number and results with what lies before you; if they are the "
        "same, rely on it."
    ),
    "superseded": "Ask the laboratory for the certificate that takes its place.",
    "withdrawn": "Do not use the instrument on the strength of it, and ask the laboratory why.",
    "expired": "Have the instrument verified again before it is used where the law asks for it.",
    "simulated": "Ask for the certificate of a real measurement.",
    "invalid": (
        "Keep the file as it is, and ask the laboratory by a telephone number that you know from "
        "elsewhere, not from this certificate."
    ),
    "stranger": (
        "Either it is forged, or the trust bundle you named is of another laboratory. Look which "
        "laboratory the certificate names, get its trust bundle by another way (on paper, by "
        "telephone, from its own website), and check again; until then do not rely on it."
    ),
    "no_certificate": (
        "Choose the PDF or XML as the laboratory sent it. A scan or a photo of the paper is not "
        "the file: of paper, scan the code that is printed on it."
    ),
    "nothing_pinned": (
        "Get the trust bundle (trust.json) of the laboratory by another way than the certificate, "
        "and check again with it."
    ),
    "status": (
        "It is genuine; only whether it was replaced or withdrawn since is not known. Fetch the "
        "newest status list of the laboratory and check again with it, or ask the laboratory by "
        "telephone whether it still stands."
    ),
    "proof": (
        "Nothing was found against it, and whose it is was not shown. Bring the proof "
        "(.tlog-proof) that belongs to the certificate, or ask the laboratory for it, and check "
        "again."
    ),
}
"""By the verdict, or by what stands in its way."""


def advice(report: Report) -> str:
    """Return what to do next, in English."""
    return NEXT_WORDS[_case(report)]


def _case(report: Report) -> str:
    messages = {step.message for step in report.steps}
    if report.verdict == "invalid":
        against = {step.message for step in report.steps if step.state == "contradicted"}
        return "stranger" if against.intersection(STRANGERS) else "invalid"
    if report.verdict != "cannot_tell":
        return report.verdict
    file = report.step("file")
    if file is not None and file.state == "not_established":
        return "no_certificate"
    if messages.intersection(NOBODY):
        return "nothing_pinned"
    origin = [report.step(id_) for id_ in (*ORIGIN, *ORIGIN_OF_CODE)]
    is_shown = any(step is not None and step.state == "established" for step in origin)
    return "status" if is_shown else "proof"
