"""From a document to its digital calibration certificate: DCC 3.3.0 with units of D-SI 2.2.1.

The document alone decides every byte. Knows no keys: an XAdES seal is put on what comes out here.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from calib.certificates.dcc_parties import add_administrative
from calib.certificates.dcc_results import add_results
from calib.certificates.dcc_xml import DCC, NAMESPACES, XSI, Voice
from calib.certificates.document import CertificateDocument
from calib.certificates.wording import Speaker
from instruments.errors import Refused

SCHEMA_VERSION: Final = "3.3.0"
LOCATION: Final = f"https://ptb.de/dcc/v{SCHEMA_VERSION}/dcc.xsd"


def write_dcc(document: CertificateDocument, digest: str | None = None) -> bytes:
    """Return the DCC of a document; the same document always gives the same bytes.

    `digest` is that of the document where it is known already: it costs as much as a page of XML.

    Raises
    ------
    Refused
        A text holds a character that XML cannot carry.
    """
    root = etree.Element(
        f"{{{DCC}}}digitalCalibrationCertificate", nsmap={**NAMESPACES, "xsi": XSI}
    )
    root.set("schemaVersion", SCHEMA_VERSION)
    root.set(f"{{{XSI}}}schemaLocation", f"{DCC} {LOCATION}")
    voice = Voice(Speaker.of(document.language))
    try:
        add_administrative(root, voice, document, digest or document.digest())
        add_results(root, voice, document)
    except ValueError as problem:  # lxml refuses control characters
        raise Refused(
            "dcc-unwritable",
            "A text of certificate {number} holds a character that XML cannot carry. Type it "
            "again.",
            facts={"number": document.number},
        ) from problem
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written
