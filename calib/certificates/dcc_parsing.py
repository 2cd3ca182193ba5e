"""Open a DCC safely, and walk it by fixed paths while remembering what was read.

A file that declares a document type, includes others, names two elements alike, hides a second
certificate or a signature in a corner, or hides a comment inside a value is refused: each is a way
to show one thing and have another read. Knows nothing of what a certificate says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Final, cast

from lxml import etree

from calib.certificates.dcc_xml import DCC, NAMESPACES, Element
from instruments.errors import Invalid, Refused
from instruments.quantities import parse_decimal

ROOT: Final = f"{{{DCC}}}digitalCalibrationCertificate"
SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"
MAX_BYTES: Final = 20 * 1024**2
MAX_VALUES: Final = 100_000
MAX_PARTS: Final = 300_000
"""A batch of a thousand has that many, nothing else has a tenth."""
_XINCLUDE: Final = "{http://www.w3.org/2001/XInclude}"
_IDS: Final = "//@id | //@Id | //@ID | //@xml:id"
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:\d{2})?")


def parse(content: bytes) -> Element:
    """Return the root of a DCC 3.x.

    Raises
    ------
    Invalid
        It is no readable DCC 3.x.
    Refused
        It is too large, or built like an attack.
    """
    if len(content) > MAX_BYTES:
        raise Refused(
            "dcc-too-large",
            "The DCC has {size} bytes; at most {limit} are read. Enter the certificate by hand.",
            facts={"size": len(content), "limit": MAX_BYTES},
        )
    if content.count(b"<") > 2 * MAX_PARTS:  # each part opens and closes: no tree is built of it
        raise _too_many_parts()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise Invalid(
            "dcc-unreadable",
            "The file is no readable XML: {problem}. Ask the issuer for the original file.",
            facts={"problem": getattr(problem, "msg", None) or str(problem)},
        ) from problem
    if cast("float", root.xpath("count(//node())")) > MAX_PARTS:
        raise _too_many_parts()
    _refuse_reaching_out(root)
    _refuse_wrapping(root)
    _need_version(root)
    return root


def _too_many_parts() -> Refused:
    return Refused(
        "dcc-too-large",
        "The DCC has more than {limit} parts. Enter the certificate by hand.",
        facts={"limit": MAX_PARTS},
    )


def _refuse_reaching_out(root: Element) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
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


def _refuse_wrapping(root: Element) -> None:
    """Refuse what a file looks like in which the signed and the shown part are not the same."""
    ids = Counter(cast("list[str]", root.xpath(_IDS)))
    twice = sorted(str(id_) for id_, count in ids.items() if count > 1)
    if twice:
        raise Refused(
            "dcc-duplicate-id",
            "Two elements of the file have the same id {id}: it is not clear which of them a "
            "signature means. Ask the issuer for a valid file.",
            facts={"id": twice[0]},
        )
    if any(True for _ in root.iterdescendants(ROOT)):
        raise Refused(
            "dcc-nested",
            "The file holds a second certificate inside the first. Ask the issuer for the "
            "original file.",
        )
    if any(signature.getparent() is not root for signature in root.iterdescendants(SIGNATURE)):
        raise Refused(
            "dcc-signature-misplaced",
            "A signature stands where a DCC never has one. Ask the issuer for the original file.",
        )


def _need_version(root: Element) -> None:
    version = root.get("schemaVersion", "")
    if root.tag != ROOT or not version.startswith("3."):
        raise Invalid(
            "dcc-unknown-version",
            "Got <{tag}> of version {version}, expected a digitalCalibrationCertificate 3.x. "
            "Enter the certificate by hand.",
            facts={"tag": etree.QName(root).localname, "version": version or "none"},
        )


class Walker:
    """Finds parts by fixed paths, reads their texts, and remembers what was read."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self.seen: set[Element] = set()
        self.values = 0

    def names(self, element: Element, *, needed: bool = False) -> dict[str, str]:
        """Return the names of a part by language."""
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

    def date(self, element: Element) -> date:
        """Return the date an element holds."""
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

    def decimals(self, element: Element) -> tuple[str, ...]:
        """Return the decimals of a list, each as the text it is."""
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

    def text(self, element: Element) -> str:
        """Return the text of an element that holds nothing but text."""
        if len(element):
            raise self.malformed(
                "dcc-malformed",
                "The part {part} of the DCC holds other elements or a comment instead of a text. "
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

    def one(self, element: Element, path: str) -> Element:
        """Return the only part at a path."""
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

    def all(self, element: Element, path: str) -> list[Element]:
        """Return the parts at a path, in order."""
        found = element.findall(path, NAMESPACES)
        self.seen.update(found)
        return found

    def unread(self) -> Iterator[Element]:
        """Yield each outermost part of which nothing was read."""
        kept = {a for element in self.seen for a in element.iterancestors()} | self.seen
        for element in self.root.iter("*"):
            if element in kept:
                # a part that holds parts has no text of its own
                between = [element.text, *(child.tail for child in element)]
                if len(element) and any((text or "").strip() for text in between):
                    yield element
            elif (
                element.tag != SIGNATURE
                and element.getparent() in kept
                and any(str(text).strip() for text in element.itertext())
            ):
                yield element

    def place(self, element: Element) -> str:
        """Return where a part stands, without namespaces."""
        path = self.root.getroottree().getelementpath(element)
        return "/" + re.sub(r"\{[^}]*\}", "", str(path))

    def malformed(self, code: str, message: str, element: Element, **facts: object) -> Invalid:
        """Return the error that a part is not as a DCC has it."""
        place = self.place(element)
        return Invalid(code, message, at=place, facts={"part": place, **facts})
