"""The schemas of PTB and W3C: told by what they say, installed beside the data, used to validate.

A schema is known by the SHA-256 of its canonical form, in which only the places it imports from are
left out: those differ between the copies that go around, and what they lead to is pinned as well.
No schema comes with this program, and none is fetched while validating.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from lxml import etree

from calib.certificates.dcc_parsing import parse
from instruments.errors import Finding, Refused, Unavailable

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
MAX_BYTES: Final = 2 * 1024**2
_ONE_AT_A_TIME: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema: the file it is kept in, what it describes, and the digest of what it says."""

    file: str
    namespace: str
    sha256: str


SCHEMAS: Final = (
    Schema(
        "dcc-3.3.0.xsd",
        "https://ptb.de/dcc",
        "4b3b0da4e7647058eecfea12b34f2ad6940a7132230c53dcf47e4f46687a78e0",
    ),
    Schema(
        "si-2.2.1.xsd",
        "https://ptb.de/si",
        "5048297a0736d37cef77b8ff49ddbe96fe076faab3a87a2c3ac968bc08b16497",
    ),
    Schema(
        "qudt-2.2.1.xsd",
        "http://qudt.org/vocab/",
        "f614b13e62cb5cd2c03042967435c65642e3db9995bb2787ae3c99b8ad7fb7e6",
    ),
    Schema(
        "xmldsig.xsd",
        "http://www.w3.org/2000/09/xmldsig#",
        "3d5b1cef8659f778cacfbe6a6d32c7469b64e9f74262cdf83c33e9409c72dbc2",
    ),
)
"""The schema of the certificates written here and everything it imports."""


def recognised(content: bytes) -> Schema | None:
    """Return which of the schemas these bytes are, None when they are none of them."""
    root = _opened(content)
    if root is None:
        return None
    digest = _digest(root)
    return next((schema for schema in SCHEMAS if schema.sha256 == digest), None)


def imports_of(content: bytes) -> tuple[str, ...]:
    """Return the places a schema imports others from, as it writes them."""
    root = _opened(content)
    places = () if root is None else (e.get("schemaLocation") for e in root.iter(f"{_XS}import"))
    return tuple(place for place in places if place)


def install(candidates: Iterable[bytes], folder: Path) -> tuple[Schema, ...]:
    """Keep those candidates that are pinned; all or none are written.

    Raises
    ------
    Refused
        One of the schemas is not among them.
    """
    found: dict[Schema, bytes] = {}
    for content in candidates:
        if len(content) <= MAX_BYTES and (schema := recognised(content)) is not None:
            found[schema] = _with_own_imports(content)
    missing = [schema for schema in SCHEMAS if schema not in found]
    if missing:
        raise Refused(
            "schemas-missing",
            "These schemas were not found, or are not the ones Calib knows by their SHA-256: "
            "{files}. Get DCC 3.3.0, D-SI 2.2.1 and what they import from PTB, unchanged.",
            facts={"files": ", ".join(f"{s.file} ({s.namespace})" for s in missing)},
        )
    folder.mkdir(parents=True, exist_ok=True)
    for schema, content in found.items():
        (folder / schema.file).write_bytes(content)
    return tuple(found)


def is_installed(folder: Path) -> bool:
    """Answer whether every schema is in the folder, unchanged."""
    return _schema(folder) is not None


def validate(content: bytes, folder: Path) -> tuple[Finding, ...]:
    """Return where a DCC 3.3.0 breaks its schema.

    Raises
    ------
    Unavailable
        The schemas are not installed in the folder, or were changed there.
    Invalid, Refused
        The file is no DCC, or built like an attack.
    """
    schema = _schema(folder)
    if schema is None:
        raise Unavailable(
            "schemas-not-installed",
            "The schemas of digital certificates are not installed. Run calib schemas install.",
        )
    root = parse(content)
    with _ONE_AT_A_TIME:  # a compiled schema keeps the errors of its last file
        if schema.validate(root):
            return ()
        errors = cast("Iterable[Any]", schema.error_log)  # its stubs do not know that it is one
        return tuple(
            Finding(
                "dcc-against-schema",
                "Line {line} of the DCC breaks the schema: {problem}",
                at=str(error.path or ""),
                facts={"line": error.line, "problem": error.message},
                clause="DCC 3.3.0; D-SI 2.2.1",
            )
            for error in errors
        )


def _opened(content: bytes) -> etree._Element | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    is_plain = root.getroottree().docinfo.internalDTD is None and root.tag == f"{_XS}schema"
    return root if is_plain else None


def _digest(root: etree._Element) -> str:
    for element in root.iter(f"{_XS}import"):
        element.attrib.pop("schemaLocation", "")
    canonical = etree.tostring(root, method="c14n", with_comments=False)
    return hashlib.sha256(canonical).hexdigest()


def _with_own_imports(content: bytes) -> bytes:
    """Return the schema with every import leading to the file beside it."""
    root = _opened(content)
    if root is None or root.find(f"{_XS}import") is None:
        return content
    files: Mapping[str, str] = {schema.namespace: schema.file for schema in SCHEMAS}
    for element in root.iter(f"{_XS}import"):
        element.set("schemaLocation", files[element.get("namespace", "")])
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written


def _schema(folder: Path) -> etree.XMLSchema | None:
    """Return the schema of a folder, None when a part of it is missing or changed."""
    try:
        stats = [(folder / schema.file).stat() for schema in SCHEMAS]
    except OSError:
        return None
    return _compiled(folder, tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))


@functools.lru_cache(maxsize=4)
def _compiled(folder: Path, _stamp: tuple[tuple[int, int], ...]) -> etree.XMLSchema | None:
    """Compile a schema once per process while its files stay; only they are ever opened."""
    for schema in SCHEMAS:
        if recognised((folder / schema.file).read_bytes()) != schema:
            return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.XMLSchema(etree.parse(str(folder / SCHEMAS[0].file), parser))


def files_under(folder: Path) -> Iterator[bytes]:
    """Yield every schema file of a folder and those within it, however they are named."""
    for file in sorted(folder.rglob("*.xsd")):
        if file.is_file() and file.stat().st_size <= MAX_BYTES:
            yield file.read_bytes()
