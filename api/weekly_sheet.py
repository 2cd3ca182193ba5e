"""A weekly report as the sheets of a workbook: its figures, and every row they count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from api.field_words import FIELD_WORDS
from api.oversight_words import OVERSIGHT_WORDS
from api.sheets import Cell
from calib.i18n import translate
from calib.services.weekly_figures import CountedRow, Figure, Report
from instruments.catalogue.loader import Catalogue

_RULED = {"passed", "failed", "undecided", "not_calibratable", "pass_rate"}


def sheets_of(
    report: Report, language: str, catalogue: Catalogue
) -> Mapping[str, Sequence[Sequence[Cell]]]:
    """Return figures and rows as the sheets of a workbook, headings first, in one language."""

    def t(message: str) -> str:
        return translate(message, language)

    return {
        t("Figures"): tuple(_figures(report, language, catalogue)),
        t("Rows"): tuple(_rows(report, language, catalogue)),
    }


def name_of(figure: Figure, language: str, catalogue: Catalogue) -> str:
    """Return what a figure is called, with what it is cut by."""
    words = translate(OVERSIGHT_WORDS["figure"][figure.name], language)
    cut = cut_of(figure, language, catalogue)
    return translate("{figure}: {cut}", language, figure=words, cut=cut) if cut else words


def cut_of(figure: Figure, language: str, catalogue: Catalogue) -> str:
    """Return what a figure is cut by, in words; empty: nothing."""
    if not figure.cut:
        return ""
    if figure.unit == "pieces" and figure.name.endswith("_of_type"):
        return type_name(figure.cut, language, catalogue)
    groups = {"customers_of_kind": "customer_kind", "instruments_of_colour": "board_colour"}
    group = "rule" if figure.name in _RULED else groups.get(figure.name, "venue_type")
    return translate(FIELD_WORDS[group].get(figure.cut, figure.cut), language)


def type_name(type_id: str, language: str, catalogue: Catalogue) -> str:
    """Return the name of an instrument type; its code where the catalogue no longer holds it."""
    return catalogue.get(type_id).name.text(language) if type_id in catalogue else type_id


def _figures(report: Report, language: str, catalogue: Catalogue) -> Iterator[Sequence[Cell]]:
    def t(message: str, **facts: object) -> str:
        return translate(message, language, **facts)

    yield (
        t("Figure"),
        t("By"),
        t("Unit"),
        t("Week {week}", week=report.week),
        t("Since {day}", day=report.since),
        t("Change"),
    )
    for one in report.figures:
        yield (
            t(OVERSIGHT_WORDS["figure"][one.name]),
            cut_of(one, language, catalogue),
            t(OVERSIGHT_WORDS["figure_unit"][one.unit]),
            _number(one.week),
            _number(one.since),
            _number(one.change),
        )
    for name in report.absent:
        absent = t("not kept in this installation")
        yield (t(OVERSIGHT_WORDS["absent_figure"][name]), "", "", absent, absent, "")


def _rows(report: Report, language: str, catalogue: Catalogue) -> Iterator[Sequence[Cell]]:
    headings = (
        "Kind", "Laboratory", "Number", "Type", "Maker", "Model", "District", "Venue type", "Day",
        "Verdict or standing", "Decision rule",
    )  # fmt: skip
    yield tuple(translate(heading, language) for heading in headings)
    for row in report.rows:
        yield _row(row, language, catalogue)


def _row(row: CountedRow, language: str, catalogue: Catalogue) -> Sequence[Cell]:
    def word(group: str, code: str) -> str:
        named = {**FIELD_WORDS, **OVERSIGHT_WORDS}[group]
        return translate(named.get(code, code), language) if code else ""

    standing = "board_colour" if row.kind == "instrument" else "verdict"
    return (
        word("counted_kind", row.kind),
        row.lab,
        row.number,
        type_name(row.type_id, language, catalogue),
        row.maker,
        row.model,
        row.district,
        word("venue_type", row.venue_type),
        row.on,
        word(standing, row.verdict),
        word("rule", row.rule),
    )


def _number(text: str) -> Cell:
    return Decimal(text) if text else ""
