"""Read a digital calibration certificate (DCC 3.x): who, what, when, and the tables of results.

Values stay the decimal text of the file. What is not read is listed, never dropped in silence. A
signature is not checked here: a reading never says that its file is authentic. Knows no database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from lxml import etree

from calib.certificates.dcc_reading import DCCColumn, DCCItem, DCCReading, DCCSeries, DCCTable
from instruments.errors import Finding, Invalid, Refused
from instruments.quantities import parse_decimal

DCC: Final = "https://ptb.de/dcc"
SI: Final = "https://ptb.de/si"
_SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_XINCLUDE: Final = "{http://www.w3.org/2001/XInclude}"
MAX_BYTES: Final = 20 * 1024**2
MAX_VALUES: Final = 100_000
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?")
_UNCERTAINTIES: Final = {
    # what a list of values calls its expanded uncertainty in D-SI 1.x and 2.x: U, then k
    "expandedUncXMLList": ("uncertaintyXMLList", "coverageFactorXMLList"),
    "expandedUnc": ("uncertainty", "coverageFactor"),
    "measurementUncertaintyUnivariateXMLList/expandedMUXMLList": (
        "valueExpandedMUXMLList",
        "coverageFactorXMLList",
    ),
    "measurementUncertaintyUnivariate/expandedMU": ("valueExpandedMU", "coverageFactor"),
}


def read_dcc(content: bytes) -> DCCReading:
    """Return what a DCC 3.x says.

    Raises Invalid when it is no such file, Refused when it is too large or tries to reach outside.
    """
    root = _parsed(content)
    reader = _Reader(root)
    return reader.read()


def _parsed(content: bytes) -> etree._Element:
    if len(content) > MAX_BYTES:
        raise Refused(
            "dcc-too-large",
            "The DCC has {size} bytes; at most {limit} are read. Enter the certificate by hand.",
            facts={"size": len(content), "limit": MAX_BYTES},
        )
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise Invalid(
            "dcc-unreadable",
            "The file is no readable XML: {problem}. Ask the issuer for the original file.",
            facts={"problem": getattr(problem, "msg", None) or str(problem)},
        ) from problem
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        raise Refused(
            "dcc-with-doctype",
            "The file declares a document type, which a DCC never needs and an attacker does. "
            "Ask the issuer for a file without one.",
        )
    if any(True for _ in root.iter(f"{_XINCLUDE}*")):
        raise Refused(
            "dcc-with-inclusion",
            "The file wants to include other files (XInclude). Ask the issuer for a whole file.",
        )
    return root


class _Reader:
    """Walks a DCC by fixed paths from the root and remembers what it has read."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.seen: set[etree._Element] = set()
        self.values = 0

    def read(self) -> DCCReading:
        version = self.root.get("schemaVersion", "")
        if self.root.tag != f"{{{DCC}}}digitalCalibrationCertificate" or not version.startswith(
            "3."
        ):
            raise Invalid(
                "dcc-unknown-version",
                "Got <{tag}> of version {version}, expected a digitalCalibrationCertificate 3.x. "
                "Enter the certificate by hand.",
                facts={"tag": etree.QName(self.root).localname, "version": version or "none"},
            )
        admin = self.one(self.root, "dcc:administrativeData")
        core = self.one(admin, "dcc:coreData")
        tables = tuple(self.tables())
        if not tables:
            raise Invalid(
                "dcc-without-results",
                "The DCC holds no table of values. Enter the certificate by hand.",
            )
        reading = DCCReading(
            schema_version=version,
            number=self.text(self.one(core, "dcc:uniqueIdentifier")),
            issuer=_best(
                self.names(self.one(admin, "dcc:calibrationLaboratory/dcc:contact"), needed=True)
            ),
            calibrated_on=self.date(self.one(core, "dcc:endPerformanceDate")),
            items=tuple(self.item(e) for e in self.all(admin, "dcc:items/dcc:item")),
            tables=tables,
            validity=self.validity(admin),
            is_signed=self.root.find(_SIGNATURE) is not None,
            notes=(),
        )
        return replace(reading, notes=(*self.signature_note(), *self.unread()))

    # ------------------------------------------------------------------------------------- results

    def tables(self) -> Iterator[DCCTable]:
        results = self.all(
            self.root,
            "dcc:measurementResults/dcc:measurementResult/dcc:results/dcc:result",
        )
        for result in results:
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

    def column(self, quantity: etree._Element) -> DCCColumn | None:
        lists = [
            element
            for path in ("si:realListXMLList", "si:real", "si:list/si:real")
            for prefix in ("", "si:hybrid/")
            for element in self.all(quantity, prefix + path)
        ]
        series = tuple(self.series(element) for element in lists)
        if not series:
            return None  # no numbers: listed with what was not read
        if self.all(quantity, "si:list"):  # one column given value by value
            series = (_joined(series),)
        lengths = {len(s.values) for s in series}
        if len(lengths) > 1:
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC holds different numbers of values in its units. "
                "Ask the issuer for a valid file.",
                quantity,
            )
        return DCCColumn(_ref_types(quantity), self.names(quantity), series)

    def series(self, element: etree._Element) -> DCCSeries:
        suffix = "XMLList" if etree.QName(element).localname.endswith("XMLList") else ""
        values = self.decimals(self.one(element, f"si:value{suffix}"))
        unit = self.text(self.one(element, f"si:unit{suffix}"))
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

    def spread(
        self, given: tuple[str, ...], count: int, element: etree._Element
    ) -> tuple[str, ...]:
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

    def validity(self, admin: etree._Element) -> tuple[DCCColumn, DCCColumn] | None:
        ends: dict[str, DCCColumn] = {}
        for statement in self.all(admin, "dcc:statements/dcc:statement"):
            if "basic_validityRange" not in _ref_types(statement):
                continue
            for quantity in self.all(statement, "dcc:data/dcc:quantity"):
                for end in ("basic_validityRangeMin", "basic_validityRangeMax"):
                    if end in _ref_types(quantity) and (column := self.column(quantity)):
                        ends[end] = column
        low, high = ends.get("basic_validityRangeMin"), ends.get("basic_validityRangeMax")
        return (low, high) if low is not None and high is not None else None

    # --------------------------------------------------------------------------------------- parts

    def item(self, element: etree._Element) -> DCCItem:
        makers = [_best(self.names(m)) for m in self.all(element, "dcc:manufacturer")]
        models = [self.text(m) for m in self.all(element, "dcc:model")]
        marks = []
        for mark in self.all(element, "dcc:identifications/dcc:identification"):
            self.names(mark)
            marks.append(
                (
                    self.text(self.one(mark, "dcc:issuer")),
                    self.text(self.one(mark, "dcc:value")),
                )
            )
        return DCCItem(self.names(element), " ".join(makers), " ".join(models), tuple(marks))

    def names(self, element: etree._Element, *, needed: bool = False) -> dict[str, str]:
        found = {
            content.get("lang", ""): self.text(content)
            for content in self.all(element, "dcc:name/dcc:content")
        }
        if needed and not found:
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC has no name. Ask the issuer for a valid file.",
                element,
            )
        return found

    def date(self, element: etree._Element) -> date:
        match = _DATE.fullmatch(self.text(element))
        try:
            return date.fromisoformat(match[1] if match else "")
        except ValueError as problem:
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC holds {got}, which is no date. Ask the issuer for a "
                "valid file.",
                element,
                got=element.text,
            ) from problem

    def decimals(self, element: etree._Element) -> tuple[str, ...]:
        values = tuple(self.text(element).split())
        self.values += len(values)
        if not values:
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC is empty. Ask the issuer for a valid file.",
                element,
            )
        if self.values > MAX_VALUES:
            raise Refused(
                "dcc-too-large",
                "The DCC has more than {limit} values. Enter the certificate by hand.",
                facts={"limit": MAX_VALUES},
            )
        for value in values:
            parse_decimal(value, at=self.place(element))
        return values

    def text(self, element: etree._Element) -> str:
        if len(element):
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC holds other elements instead of a text. "
                "Ask the issuer for a valid file.",
                element,
            )
        text = (element.text or "").strip()
        if not text:
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC is empty. Ask the issuer for a valid file.",
                element,
            )
        return text

    def one(self, element: etree._Element, path: str) -> etree._Element:
        found = self.all(element, path)
        if len(found) != 1:
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC holds {count} of {wanted}, expected one. "
                "Ask the issuer for a valid file.",
                element,
                count=len(found),
                wanted=path.replace("dcc:", "").replace("si:", ""),
            )
        return found[0]

    def all(self, element: etree._Element, path: str) -> list[etree._Element]:
        found = element.findall(path, {"dcc": DCC, "si": SI})
        self.seen.update(found)
        return found

    # --------------------------------------------------------------------------------------- notes

    def signature_note(self) -> Iterator[Finding]:
        if self.root.find(_SIGNATURE) is not None:
            yield Finding(
                "dcc-signature-unchecked",
                "The file bears a signature that was not checked: it may have been changed since "
                "it was signed. Compare it with the issuer's copy.",
                severity="warning",
            )
        else:
            yield Finding(
                "dcc-unsigned",
                "The file bears no signature: anybody may have changed it. Compare it with the "
                "issuer's copy.",
                severity="warning",
            )

    def unread(self) -> Iterator[Finding]:
        """Yield a note for each outermost part of which nothing was read."""
        kept = {a for element in self.seen for a in element.iterancestors()} | self.seen
        for element in self.root.iter():
            if element in kept or element.tag == _SIGNATURE or element.getparent() not in kept:
                continue
            if any(str(text).strip() for text in element.itertext()):
                yield Finding(
                    "dcc-part-unread",
                    "The part {part} was not read. Look it up in the file if it matters.",
                    severity="note",
                    at=self.place(element),
                    facts={"part": self.place(element)},
                )

    def place(self, element: etree._Element) -> str:
        path = self.root.getroottree().getelementpath(element)
        return "/" + re.sub(r"\{[^}]*\}", "", str(path))

    def malformed(
        self, code: str, message: str, element: etree._Element, **facts: object
    ) -> Invalid:
        place = self.place(element)
        return Invalid(code, message, at=place, facts={"part": place, **facts})


def _is_beside(holder: etree._Element) -> bool:
    """Answer whether the list belongs to data about a quantity, not to the results."""
    aside = {f"{{{DCC}}}{name}" for name in ("measurementMetaData", "influenceConditions")}
    return any(ancestor.tag in aside for ancestor in holder.iterancestors())


def _ref_types(element: etree._Element) -> tuple[str, ...]:
    return tuple(element.get("refType", "").split())


def _best(names: Mapping[str, str]) -> str:
    for language in ("en", "zh", ""):
        if language in names:
            return names[language]
    return next(iter(names.values()), "")


def _joined(series: tuple[DCCSeries, ...]) -> DCCSeries:
    return DCCSeries(
        unit=series[0].unit,
        values=tuple(v for s in series for v in s.values),
        U=tuple(u for s in series for u in s.U),
        k=tuple(k for s in series for k in s.k),
    )
