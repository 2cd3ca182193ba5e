"""Status labels with QR: green 合格证, yellow 准用证, red 停用证; singly or 24 per sheet.

Colour is never the only sign: each label bears its words and its own shape. A date up to which it
holds is printed only where the law sets it or the customer agreed. Knows nothing of certificates.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import segno

from calib.certificates.document import DocumentLanguage
from calib.certificates.pdf import compile_pdf
from calib.certificates.wording import Speaker
from instruments.errors import Refused
from instruments.text import LocalizedText

LabelColour = Literal["green", "yellow", "red"]
LabelSheet = Literal["single", "sheet"]
_NAMES: dict[LabelColour, tuple[str, str]] = {
    "green": ("Pass label", "FIT FOR USE"),
    "yellow": ("Limited-use label", "LIMITED USE"),
    "red": ("Out-of-service label", "DO NOT USE"),
}


@dataclass(frozen=True, slots=True)
class Label:
    """What one label says."""

    colour: LabelColour
    lab: LocalizedText
    number: str
    """Of the certificate, or the mark of the instrument where there is none."""
    serial: str
    performed_on: str
    """ISO date."""
    by: str
    address: str
    """What the QR code opens."""
    until: str | None = None
    until_because: Literal["legal", "agreed"] | None = None
    limited_to: str = ""
    """What the item may be used for: on yellow labels always, on others never."""
    simulated: bool = False
    """The readings behind it were simulated; then it only says so."""


def render_labels(
    labels: Sequence[Label],
    made_at: datetime,
    *,
    language: DocumentLanguage = "zh+en",
    sheet: LabelSheet = "sheet",
) -> bytes:
    """Return the labels as PDF/A, 24 on each A4 sheet or one per page of 50 x 30 mm.

    Raises
    ------
    Refused
        No labels, a date nobody may print, or a yellow label that names no limit.
    """
    if not labels:
        raise Refused("labels-none", "There is no label to print. Choose instruments first.")
    for i, label in enumerate(labels):
        _need_sound(label, f"/labels/{i}")
    speaker = Speaker.of(language)
    view = {
        "lang": speaker.languages[0],
        "name": " / ".join(speaker.say("Status labels")),
        "sheet": sheet == "sheet",
        "labels": [_view(speaker, label) for label in labels],
    }
    inputs = {"data": json.dumps(view, ensure_ascii=False)}
    return compile_pdf("label.typ", inputs, int(made_at.timestamp()))


def _need_sound(label: Label, at: str) -> None:
    if label.until is not None and (label.until_because is None or label.colour == "red"):
        raise Refused(
            "label-date-not-agreed",
            "The label of {number} would bear the date {until}. Only a legal validity or an "
            "interval agreed with the customer may be printed, and never on an out-of-service "
            "label.",
            at=f"{at}/until",
            facts={"number": label.number, "until": label.until},
            clause="ISO/IEC 17025:2017 7.8.4.3",
        )
    if (label.colour == "yellow") != bool(label.limited_to.strip()):
        raise Refused(
            "label-limit-missing",
            "The label of {number}: a limited-use label, and only such a one, names what the item "
            "may be used for.",
            at=f"{at}/limited_to",
            facts={"number": label.number},
        )


def _view(speaker: Speaker, label: Label) -> dict[str, Any]:
    name, command = _NAMES[label.colour]
    until = "Valid to" if label.until_because == "legal" else "Next"
    rows = [
        (speaker.say("No."), label.number),
        (speaker.say("S/N"), label.serial),
        (speaker.say("Date"), label.performed_on),
        *([(speaker.say(until), label.until)] if label.until else []),
        (speaker.say("By"), label.by),
        *([(speaker.say("Only"), label.limited_to)] if label.limited_to else []),
    ]
    if label.simulated:
        name, command = "Specimen", "SIMULATED READINGS"
    return {
        "colour": label.colour,
        "name": speaker.say(name),
        "command": speaker.say(command),
        "lab": speaker.label(label.lab)[0],
        "rows": [{"label": words, "value": value} for words, value in rows],
        "qr": segno.make(label.address, error="m").svg_inline(border=0, scale=4),
        "alt": " / ".join(speaker.say("QR code of the certificate's address")),
    }
