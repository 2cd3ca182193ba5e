"""Words that trouble newcomers, each in a sentence of our own, with where it is defined.

Terms are those of docs/glossary.md. The clause names the source; its text is not repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calib.i18n import translate
from instruments.text import LocalizedText

VIM = "JCGM 200:2012 (VIM)"
GUM = "JCGM 100:2008 (GUM)"
IEC = "ISO/IEC 17025:2017"


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the glossary and where it is defined."""

    name: LocalizedText
    source: str
    sign: str = ""
    """What it is written as; empty: nothing shorter."""


TERMS: Mapping[str, Term] = {
    "uncertainty": Term(
        LocalizedText(en="measurement uncertainty", zh="测量不确定度"), f"{VIM} 2.26"
    ),
    "u": Term(LocalizedText(en="standard uncertainty", zh="标准不确定度"), f"{VIM} 2.30", "u"),
    "U": Term(
        LocalizedText(en="expanded uncertainty", zh="扩展不确定度"), f"{VIM} 2.35; {GUM} 6.2.1", "U"
    ),
    "k": Term(LocalizedText(en="coverage factor", zh="包含因子"), f"{VIM} 2.38; {GUM} 6.3", "k"),
    "type-a": Term(LocalizedText(en="type A evaluation", zh="A类评定"), f"{VIM} 2.28; {GUM} 4.2"),
    "type-b": Term(LocalizedText(en="type B evaluation", zh="B类评定"), f"{VIM} 2.29; {GUM} 4.3"),
    "error": Term(LocalizedText(en="error of indication", zh="示值误差"), f"{VIM} 2.16, 4.1"),
    "correction": Term(LocalizedText(en="correction", zh="修正值"), f"{VIM} 2.53"),
    "mpe": Term(
        LocalizedText(en="maximum permissible error", zh="最大允许误差"), f"{VIM} 4.26", "MPE"
    ),
    "decision-rule": Term(LocalizedText(en="decision rule", zh="判定规则"), f"{IEC} 3.7, 7.8.6"),
    "guard-band": Term(LocalizedText(en="guard band", zh="保护带"), "ILAC-G8:09/2019"),
    "as-found": Term(LocalizedText(en="as found", zh="调整前"), f"{IEC} 7.8.4.1 d"),
    "as-left": Term(LocalizedText(en="as left", zh="调整后"), f"{IEC} 7.8.4.1 d"),
    "cmc": Term(
        LocalizedText(en="calibration and measurement capability", zh="校准和测量能力"),
        "ILAC-P14:09/2020",
        "CMC",
    ),
    "tur": Term(
        LocalizedText(en="test uncertainty ratio", zh="测试不确定度比"),
        "ANSI/NCSL Z540.3-2006",
        "TUR",
    ),
    "traceability": Term(LocalizedText(en="traceability", zh="溯源性"), f"{VIM} 2.41"),
    "calibration": Term(LocalizedText(en="calibration", zh="校准"), f"{VIM} 2.39"),
    "verification": Term(LocalizedText(en="verification", zh="检定"), "OIML V 1:2013 (VIML) 2.09"),
    "drift": Term(LocalizedText(en="drift", zh="漂移"), f"{VIM} 4.21"),
    "resolution": Term(LocalizedText(en="resolution", zh="分辨力"), f"{VIM} 4.14, 4.15"),
    "repeatability": Term(LocalizedText(en="repeatability", zh="重复性"), f"{VIM} 2.21"),
}
"""By the anchor on the page of the glossary."""

MEANS: Mapping[str, str] = {
    "uncertainty": (
        "How far the true value may lie from the result, as far as one knows. It is no "
        "mistake: every result has it."
    ),
    "u": (
        "Uncertainty told as one standard deviation. It is what is added up in a budget, as "
        "squares."
    ),
    "U": (
        "Half the width of the interval that holds the value with about 95 % probability: the"
        " standard uncertainty times k. Read 36.5 ± U."
    ),
    "k": (
        "What the standard uncertainty is multiplied by to get U. With k = 2 the interval "
        "holds about 95 %."
    ),
    "type-a": "Uncertainty found from the scatter of one's own repeated readings.",
    "type-b": (
        "Uncertainty known from elsewhere: a certificate, a data sheet, the resolution, experience."
    ),
    "error": (
        "What the instrument shows minus the reference value. +0.3 means that it shows too much."
    ),
    "correction": (
        "What is added to the indication to get the value: the error with its sign turned."
    ),
    "mpe": "The largest error that a regulation or the maker allows, upwards and downwards.",
    "decision-rule": (
        "How uncertainty is reckoned with when a result is called pass or fail. It is agreed "
        "before the work, since near a limit it decides."
    ),
    "guard-band": (
        "A strip just inside the limit. A result within it does not pass, so that fewer bad "
        "instruments are passed by chance."
    ),
    "as-found": (
        "Measured as the instrument came in, before anything was adjusted or repaired. It "
        "tells whether past readings were right."
    ),
    "as-left": "Measured again after adjustment or repair, as the instrument goes back.",
    "cmc": (
        "The smallest uncertainty for which a laboratory is accredited. No certificate states"
        " a smaller one."
    ),
    "tur": (
        "The tolerance divided by the uncertainty with which it is checked. At 4 or more the "
        "uncertainty hardly decides; near 1 it decides nearly everything."
    ),
    "traceability": (
        "An unbroken chain of calibrations from this result up to the unit, each step with "
        "its uncertainty."
    ),
    "calibration": (
        "Finding out how indications and true values belong together, with uncertainty. "
        "Nothing is adjusted, and nothing is passed or failed by it alone."
    ),
    "verification": "A legal act by a regulation that ends in pass or fail.",
    "drift": (
        "How the error changes with the months. It decides when the next calibration is due."
    ),
    "resolution": (
        "The smallest change that the display can show. Nothing can be read more finely."
    ),
    "repeatability": (
        "How much readings of one thing scatter when nothing is changed between them."
    ),
}


def told(code: str, language: str) -> dict[str, str]:
    """Return a term as a page shows it."""
    term = TERMS[code]
    return {
        "code": code,
        "name": term.name.text(language),
        "other": term.name.text("en" if language == "zh" else "zh"),
        "sign": term.sign,
        "means": translate(MEANS[code], language),
        "source": term.source,
    }
