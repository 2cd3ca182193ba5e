"""Read a digital calibration certificate (DCC 3.x): who, what, when, and the tables of results.

Values stay the decimal text of the file. What is not read is listed, never dropped in silence.
There are two ways in, and they never mix: `read_dcc` reads a file as it comes and says that it is
not authentic; `read_verified` reads nothing but the bytes that a checked signature covers. Knows no
database and no keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from lxml import etree

from calib.certificates.dcc_parsing import MAX_BYTES, MAX_VALUES, SIGNATURE, Walker, parse
from calib.certificates.dcc_reading import DCCColumn, DCCItem, DCCReading, DCCSeries, DCCTable
from calib.certificates.dcc_xml import DCC, NAMESPACES, Element
from instruments.errors import Finding, Invalid

__all__ = ["MAX_BYTES", "MAX_VALUES", "read_dcc", "read_verified"]

_UNCERTAINTIES: Final = {
    # what a value or a list calls its expanded uncertainty in D-SI 1.x and 2.x: U, then k
    "expandedUncXMLList": ("uncertaintyXMLList", "coverageFactorXMLList"),
    "expandedUnc": ("uncertainty", "coverageFactor"),
    "measurementUncertaintyUnivariateXMLList/expandedMUXMLList": (
        "valueExpandedMUXMLList",
        "coverageFactorXMLList",
    ),
    "measurementUncertaintyUnivariate/expandedMU": ("valueExpandedMU", "coverageFactor"),
    # the schema itself has this slip of the pen
    "measurementUncertaintyUnivaraite/expandedMU": ("valueExpandedMU", "coverageFactor"),
}
_RESULTS: Final = "dcc:measurementResults/dcc:measurementResult/dcc:results/dcc:result"


def read_dcc(content: bytes) -> DCCReading:
    """Return what a DCC 3.x says, signed or not: nobody checked, and the notes say so.

    Raises Invalid when it is no such file, Refused when it is too large or tries to reach outside.
    """
    root = parse(content)
    reading = _Reader(root).read()
    return replace(reading, notes=(_unchecked(is_signed=reading.is_signed), *reading.notes))


def read_verified(signed: bytes) -> DCCReading:
    """Return what the signed element of a DCC says; the caller has checked the signature.

    `signed` are the very bytes that the signature covers, never the file they came in.

    Raises Invalid and Refused as `read_dcc`.
    """
    return replace(_Reader(parse(signed)).read(), is_signed=True, is_authentic=True)


def _unchecked(*, is_signed: bool) -> Finding:
    if is_signed:
        return Finding(
            "dcc-signature-unchecked",
            "The file bears a signature that was not checked: it may have been changed since "
            "it was signed. Compare it with the issuer's copy.",
            severity="warning",
        )
    return Finding(
        "dcc-unsigned",
        "The file bears no signature: anybody may have changed it. Compare it with the "
        "issuer's copy.",
        severity="warning",
    )


class _Reader(Walker):
    """Reads a DCC by fixed paths from the root."""

    def read(self) -> DCCReading:
        admin = self.one(self.root, "dcc:administrativeData")
        core = self.one(admin, "dcc:coreData")
        tables = tuple(self.tables())
        if not tables:
            raise Invalid(
                "dcc-without-results",
                "The DCC holds no table of values. Enter the certificate by hand.",
            )
        reading = DCCReading(
            schema_version=self.root.get("schemaVersion", ""),
            number=self.text(self.one(core, "dcc:uniqueIdentifier")),
            issuer=_best(
                self.names(self.one(admin, "dcc:calibrationLaboratory/dcc:contact"), needed=True)
            ),
            calibrated_on=self.date(self.one(core, "dcc:endPerformanceDate")),
            items=tuple(self.items(admin)),
            tables=tables,
            validity=self.validity(admin),
            is_signed=self.root.find(SIGNATURE) is not None,
            notes=(),
        )
        return replace(reading, notes=tuple(self.notes()))

    # ------------------------------------------------------------------------------------- results

    def tables(self) -> Iterator[DCCTable]:
        for result in self.all(self.root, _RESULTS):
            names = self.names(result)
            for data in self.all(result, "dcc:data"):
                for holder in (data, *data.iter(f"{{{DCC}}}list")):
                    if _is_beside(holder):
                        continue
                    quantities = self.all(holder, "dcc:quantity")
                    columns = tuple(c for q in quantities if (c := self.column(q)) is not None)
                    if columns:
                        kinds = _ref_types(holder) or _ref_types(result)
                        yield DCCTable(kinds, self.names(holder) or names, columns)

    def column(self, quantity: Element) -> DCCColumn | None:
        """Return the values of a quantity, None when it holds no numbers: those are listed."""
        series = tuple(
            self.series(element)
            for path in ("si:realListXMLList", "si:real")
            for prefix in ("", "si:hybrid/")
            for element in self.all(quantity, prefix + path)
        ) + tuple(
            one
            for path in ("si:list", "si:hybrid/si:list", "si:hybrid/si:realList")
            for element in self.all(quantity, path)
            for one in self.values_of_list(element)
        )
        if not series:
            return None
        lengths = {len(s.values) for s in series}
        if len(lengths) > 1:
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC holds different numbers of values in its units. "
                "Ask the issuer for a valid file.",
                quantity,
            )
        return DCCColumn(_ref_types(quantity), self.names(quantity), series)

    def values_of_list(self, element: Element) -> Iterator[DCCSeries]:
        """Yield the one column of a list that gives its values one by one, and those within it."""
        for one in self.all(element, "si:realListXMLList"):
            yield self.series(one)
        for inner in self.all(element, "si:realList"):
            yield from self.values_of_list(inner)
        reals = self.all(element, "si:real")
        if not reals:
            return
        unit = [self.text(found) for found in self.all(element, "si:listUnit")]
        series = [self.series(real, unit[0] if unit else "") for real in reals]
        units, stated = {s.unit for s in series}, {bool(s.U) for s in series}
        if len(units) > 1 or len(stated) > 1:
            raise self.malformed(
                "dcc-malformed",
                "In the part {part} of the DCC the values of one list have different units, or "
                "some an uncertainty and others none. Enter the certificate by hand.",
                element,
            )
        yield DCCSeries(
            unit=units.pop(),
            values=tuple(v for s in series for v in s.values),
            U=tuple(u for s in series for u in s.U),
            k=tuple(k for s in series for k in s.k),
        )

    def series(self, element: Element, unit: str = "") -> DCCSeries:
        suffix = "XMLList" if etree.QName(element).localname.endswith("XMLList") else ""
        values = self.decimals(self.one(element, f"si:value{suffix}"))
        unit = self.unit(element, f"si:unit{suffix}", unit)
        for path, (u_name, k_name) in _UNCERTAINTIES.items():
            found = self.all(element, "/".join(f"si:{part}" for part in path.split("/")))
            if found:
                U = self.decimals(self.one(found[0], f"si:{u_name}"))
                k = self.decimals(self.one(found[0], f"si:{k_name}"))
                count = len(values)
                return DCCSeries(
                    unit, values, self.spread(U, count, element), self.spread(k, count, element)
                )
        return DCCSeries(unit, values, (), ())

    def unit(self, element: Element, path: str, of_list: str) -> str:
        """Return the unit of some values; a list may repeat it for each of them."""
        if of_list and element.find(path, NAMESPACES) is None:
            return of_list
        units = set(self.text(self.one(element, path)).split())
        if len(units) > 1:
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC holds values of different units in one list. Enter "
                "the certificate by hand.",
                element,
            )
        return units.pop()

    def spread(self, given: tuple[str, ...], count: int, element: Element) -> tuple[str, ...]:
        if len(given) == 1:
            return given * count
        if len(given) != count:
            raise self.malformed(
                "dcc-malformed",
                "In the part {part} of the DCC {given} uncertainties stand for {count} values. "
                "Ask the issuer for a valid file.",
                element,
                given=len(given),
                count=count,
            )
        return given

    def validity(self, admin: Element) -> tuple[DCCColumn, DCCColumn] | None:
        ends: dict[str, DCCColumn] = {}
        for statement in admin.iterfind("dcc:statements/dcc:statement", NAMESPACES):
            if "basic_validityRange" not in _ref_types(statement):
                continue
            for quantity in self.all(statement, "dcc:data/dcc:quantity"):
                for end in ("basic_validityRangeMin", "basic_validityRangeMax"):
                    if end in _ref_types(quantity) and (column := self.column(quantity)):
                        ends[end] = column
        low, high = ends.get("basic_validityRangeMin"), ends.get("basic_validityRangeMax")
        return (low, high) if low is not None and high is not None else None

    # --------------------------------------------------------------------------------------- parts

    def items(self, admin: Element) -> Iterator[DCCItem]:
        """Yield every item; what a batch has in common stands above its items."""
        for parent in self.all(admin, "dcc:items"):
            maker, marks = self.maker(parent), self.marks(parent)
            for element in self.all(parent, "dcc:item"):
                models = [self.text(model) for model in self.all(element, "dcc:model")]
                yield DCCItem(
                    self.names(element),
                    self.maker(element) or maker,
                    " ".join(models),
                    (*self.marks(element), *marks),
                )

    def maker(self, element: Element) -> str:
        return " ".join(_best(self.names(m)) for m in self.all(element, "dcc:manufacturer"))

    def marks(self, element: Element) -> tuple[tuple[str, str], ...]:
        found = []
        for mark in self.all(element, "dcc:identifications/dcc:identification"):
            self.names(mark)
            issuer = self.text(self.one(mark, "dcc:issuer"))
            found.append((issuer, self.text(self.one(mark, "dcc:value"))))
        return tuple(found)

    # --------------------------------------------------------------------------------------- notes

    def notes(self) -> Iterator[Finding]:
        """Yield a note for each outermost part of which nothing was read."""
        for element in self.unread():
            yield Finding(
                "dcc-part-unread",
                "The part {part} was not read. Look it up in the file if it matters.",
                severity="note",
                at=self.place(element),
                facts={"part": self.place(element)},
            )


def _is_beside(holder: Element) -> bool:
    """Answer whether the list belongs to data about a quantity, not to the results."""
    aside = {f"{{{DCC}}}{name}" for name in ("measurementMetaData", "influenceConditions")}
    return any(ancestor.tag in aside for ancestor in holder.iterancestors())


def _ref_types(element: Element) -> tuple[str, ...]:
    return tuple(element.get("refType", "").split())


def _best(names: Mapping[str, str]) -> str:
    for language in ("en", "zh", ""):
        if language in names:
            return names[language]
    return next(iter(names.values()), "")
