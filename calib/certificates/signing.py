"""The states a certificate passes, as types: who holds one knows what was done to it.

Drafted -> Linted -> Rendered -> Sealed; only the function of each step makes its state. Knows no
keys: what seals stands behind a port.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, final

from calib.certificates.dcc_compare import compare
from calib.certificates.dcc_writing import write_dcc
from calib.certificates.document import CertificateDocument
from calib.certificates.lint import lint
from calib.certificates.pdf import render
from calib.certificates.reread import reread
from instruments.errors import Finding, Refused

_MADE_HERE: Final = object()
UNSIGNED = "unsigned"
"""The seal of a file that bears none."""


def _only_by(state: Linted | Rendered | Sealed, function: str) -> None:
    """Refuse a state made by hand; what its maker showed is not left to be copied."""
    if state.made_by is not _MADE_HERE:
        raise TypeError(f"{type(state).__name__} is made by {function}(), not by hand")
    object.__setattr__(state, "made_by", None)


@final
@dataclass(frozen=True, slots=True)
class Drafted:
    """A document nobody has looked at yet."""

    document: CertificateDocument


@final
@dataclass(frozen=True, slots=True)
class Linted:
    """Only `pass_lints` makes one: the lints ran on this document and none forbids it."""

    document: CertificateDocument
    digest: str
    warnings: tuple[Finding, ...]
    made_by: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a state made by hand."""
        _only_by(self, "pass_lints")


@final
@dataclass(frozen=True, slots=True)
class Rendered:
    """Only `render_linted` makes one: the file was read again and says what the document says."""

    linted: Linted
    content: bytes = field(repr=False)
    digest: str
    """SHA-256 of `content`."""
    made_by: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a state made by hand."""
        _only_by(self, "render_linted")


@final
@dataclass(frozen=True, slots=True)
class Sealed:
    """Only `seal_rendered` makes one: the final bytes of a certificate."""

    rendered: Rendered
    content: bytes = field(repr=False)
    digest: str
    """SHA-256 of `content`."""
    seal: str
    """Which seal the file bears; ``unsigned`` when none."""
    made_by: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a state made by hand."""
        _only_by(self, "seal_rendered")


def pass_lints(drafted: Drafted) -> Linted:
    """Run every lint on the document.

    Raises
    ------
    Refused
        A lint of severity error found something; all findings travel with it.
    """
    findings = lint(drafted.document)
    _refuse(findings)
    return Linted(drafted.document, drafted.document.digest(), findings, _MADE_HERE)


def write_data(linted: Linted, seal: Callable[[Linted, bytes], bytes]) -> bytes:
    """Write the document as DCC, compare it, have it sealed, and compare what came back.

    Raises
    ------
    Refused
        The file does not say what the document says.
    """
    xml = write_dcc(linted.document, linted.digest)
    _refuse(compare(linted.document, xml))
    sealed = seal(linted, xml)
    if sealed != xml:
        _refuse(compare(linted.document, sealed))
    return sealed


def render_linted(linted: Linted, attachments: Mapping[str, bytes]) -> Rendered:
    """Render the document, read the file again and compare every number.

    Raises
    ------
    Refused
        The file does not say what the document says, or a text cannot be drawn.
    Unavailable
        The template could not be compiled.
    """
    pdf = render(linted.document, attachments)
    _refuse(reread(linted.document, pdf, attachments))
    return Rendered(linted, pdf, hashlib.sha256(pdf).hexdigest(), _MADE_HERE)


def seal_rendered(rendered: Rendered, content: bytes, seal: str) -> Sealed:
    """Take what the sealer gave back: the rendered bytes, with nothing but a seal appended.

    Raises
    ------
    Refused
        The bytes are not the rendered ones, or the printed words and the seal disagree.
    """
    if not content.startswith(rendered.content) or (
        seal == UNSIGNED and content != rendered.content
    ):
        raise Refused(
            "sealed-other-bytes",
            "The sealer gave back other bytes than it was given. The certificate is not issued; "
            "check the sealer.",
        )
    printed = rendered.linted.document.seal
    if (seal == UNSIGNED) != (printed == UNSIGNED):
        raise Refused(
            "seal-not-as-printed",
            "The page says {printed}, but the file bears the seal {seal}.",
            facts={"printed": printed, "seal": seal},
        )
    return Sealed(rendered, content, hashlib.sha256(content).hexdigest(), seal, _MADE_HERE)


def _refuse(findings: tuple[Finding, ...]) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise Refused(
            "certificate-refused",
            "The certificate breaks {count} rules; the first: {first}",
            facts={"count": len(errors), "first": errors[0]},
            at=errors[0].at,
            clause=errors[0].clause,
            findings=findings,
        )
