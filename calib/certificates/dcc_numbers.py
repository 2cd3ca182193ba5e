"""Compares the numbers of a DCC with printed texts, and remembers which of them were expected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from calib.certificates.dcc_parsing import Walker
from calib.certificates.dcc_units import converted, spelling, unit_over_power
from calib.certificates.dcc_xml import DCC, NAMESPACES, PROBABILITY, SI, Element
from instruments.errors import Finding

_CLAUSE: Final = "ISO/IEC 17025:2017 "
RULES: Final[dict[str, tuple[str, str]]] = {
    "dcc-file-unreadable": (_CLAUSE + "7.8.1.2", "The DCC cannot be read again: {problem}"),
    "dcc-text-differs": (
        _CLAUSE + "7.8.2.1", "The DCC says {got} at {name}, the document {expected}.",
    ),
    "dcc-table-missing": (
        _CLAUSE + "7.8.2.1 (m)",
        "The DCC does not hold the tables of {key} as the document does; it has {count}.",
    ),
    "dcc-number-differs": (
        _CLAUSE + "7.8.2.1 (m)",
        "The DCC gives {key} as {got}, the document as {expected}.",
    ),
    "dcc-number-unexpected": (
        _CLAUSE + "7.8.1.2", "The DCC holds {got} at {part}, which the document does not say.",
    ),
}  # fmt: skip
"""Code to clause and sentence; every one of them is an error."""
_WORD_LISTS: Final = {
    f"{{{DCC}}}{name}"
    for name in ("charsXMLList", "conformityXMLList", "conformity", "validXMLList", "valid", "date")
}
_CONCISE = re.compile(r"(-?\d+(?:\.(\d+))?)\((\d+)\)")
Stated = tuple[Sequence[str], Sequence[str]]
"""U and k of each value."""


def _finding(code: str, **facts: object) -> Finding:
    clause, message = RULES[code]
    return Finding(code=code, message=message, facts=facts, clause=clause)


def unreadable(problem: object) -> Finding:
    """Return the finding that a file cannot be opened again."""
    return _finding("dcc-file-unreadable", problem=problem)


def text_differs(name: str, expected: object, got: object) -> Finding:
    """Return the finding that a text of the file is not that of the document."""
    return _finding("dcc-text-differs", name=name, expected=expected, got=got)


def table_missing(key: str, count: int) -> Finding:
    """Return the finding that there are more or fewer tables than the document has."""
    return _finding("dcc-table-missing", key=key, count=count)


class Numbers:
    """The numbers of one file."""

    def __init__(self, root: Element) -> None:
        self._walker = Walker(root)
        self._expected: set[Element] = set()

    def column(
        self,
        parent: Element,
        kind: str,
        texts: Sequence[str],
        unit_id: str,
        stated: Stated | None = None,
        *,
        difference: bool = False,
    ) -> Iterator[Finding]:
        """Compare the only quantity of a kind within a table."""
        quantities = parent.findall(f"dcc:quantity[@refType='{kind}']", NAMESPACES)
        lists = [e for q in quantities for e in q.iterfind(".//si:realListXMLList", NAMESPACES)]
        own = [e for e in lists if e.getparent() in quantities or _in_hybrid(e, quantities)]
        spelled = spelling(unit_id)
        wanted = [(spelled.dsi, list(texts), list(stated[0]) if stated else [])]
        if spelled.outside:
            first = [_first(t, unit_id, is_difference=difference) for t in texts]
            of_U = [_first(t, unit_id, is_difference=True) for t in wanted[0][2]]
            wanted = [(spelled.dsi, first, of_U), (spelled.outside, *wanted[0][1:])]
        if len(own) != len(wanted) or len(quantities) != 1:
            yield _differs(kind, " ".join(texts), f"{len(own)} lists")
            return
        for element, (unit_text, values, U) in zip(own, wanted, strict=True):
            expected = {"valueXMLList": values, "unitXMLList": [unit_text]}
            if stated:
                expected |= {
                    "valueExpandedMUXMLList": U,
                    "coverageFactorXMLList": list(stated[1]),
                    "coverageProbabilityXMLList": [PROBABILITY] * len(U),
                }
            yield from self._leaves(element, kind, expected)

    def value(
        self, parent: Element, path: str, kind: str, text: str, unit_id: str
    ) -> Iterator[Finding]:
        """Compare the single value of a quantity."""
        spelled = spelling(unit_id)
        wanted = [(spelled.dsi, _first(text, unit_id, is_difference=False))]
        if spelled.outside:
            wanted.append((spelled.outside, text))
        found = parent.findall(f"{path}/dcc:quantity[@refType='{kind}']//si:real", NAMESPACES)
        if len(found) != len(wanted):
            yield _differs(kind, text, f"{len(found)} values")
        for element, (unit_text, value) in zip(found, wanted, strict=False):
            yield from self._leaves(element, kind, {"value": [value], "unit": [unit_text]})

    def parameters(
        self, data: Element, kind: str, printed: Sequence[str], x: str, y: str
    ) -> Iterator[Finding]:
        """Compare the coefficients of a curve, which a page prints as ``-0.1712(29)``."""
        found = data.findall(f"dcc:quantity[@refType='{kind}']", NAMESPACES)
        if len(found) != len(printed):
            yield _differs(kind, " ".join(printed), f"{len(found)} parameters")
        for power, (element, text) in enumerate(zip(found, printed, strict=False)):
            real = element.find("si:real", NAMESPACES)
            match = _CONCISE.fullmatch(text)
            if real is None or match is None:
                words = [e.text or "" for e in element.iterfind("dcc:noQuantity/*", NAMESPACES)]
                if not words or not words[0].startswith(text):
                    yield _differs(kind, text, " ".join(words))
                continue
            u = f"{Decimal(match[3]).scaleb(-len(match[2] or '')):f}"
            unit = unit_over_power(y, x, power) or ""
            expected = {"value": [match[1]], "unit": [unit], "valueStandardMU": [u]}
            yield from self._leaves(real, kind, expected)

    def words(self, parent: Element, path: str, expected: Sequence[str]) -> Iterator[Finding]:
        """Compare the words at a path, those of several elements one after the other."""
        found = parent.findall(path, NAMESPACES)
        self._expected.update(found)
        got = [word for element in found for word in (element.text or "").split()]
        if got != list(expected):
            yield _differs(path.replace("dcc:", ""), " ".join(expected), " ".join(got))

    def unexpected(self) -> Iterator[Finding]:
        """Yield every number and conclusion that nothing of the document stands behind."""
        for element in self._walker.root.iter("*"):
            is_number = str(element.tag).startswith(f"{{{SI}}}") and not len(element)
            if (is_number or element.tag in _WORD_LISTS) and element not in self._expected:
                yield _finding(
                    "dcc-number-unexpected",
                    got=(element.text or "").strip(),
                    part=self._walker.place(element),
                )

    def _leaves(
        self, element: Element, kind: str, expected: dict[str, list[str]]
    ) -> Iterator[Finding]:
        """Compare the parts of a value or a list of values by their names."""
        for name, texts in expected.items():
            found = element.findall(f".//si:{name}", NAMESPACES)
            self._expected.update(found)
            got = [word for leaf in found for word in (leaf.text or "").split()]
            if len(found) != 1 or got != texts:
                yield _differs(f"{kind} {name}", " ".join(texts), " ".join(got))
        # which distribution gave k is in the words beside it; it is no number of the document
        self._expected.update(element.findall(".//si:distributionXMLList", NAMESPACES))


def _in_hybrid(element: Element, quantities: Sequence[Element]) -> bool:
    parent = element.getparent()
    return (
        parent is not None and parent.tag == f"{{{SI}}}hybrid" and parent.getparent() in quantities
    )


def _first(text: str, unit_id: str, *, is_difference: bool) -> str:
    """Return a text as the first list has it, in a unit of D-SI."""
    if text == "NaN":
        return text
    return converted(spelling(unit_id), unit_id, text, difference=is_difference)


def _differs(key: str, expected: str, got: str) -> Finding:
    return _finding("dcc-number-differs", key=key, expected=expected or "—", got=got or "—")
