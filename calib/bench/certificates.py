"""Work W5: one certificate from its readings to its seals, whole and stage by stage.

Keys are made in memory; nothing is written to a disk. Every run makes a certificate of another
number, for what was drawn once is drawn again for nothing. This module must not know how time is
measured.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

    from calib.certificates.document import CertificateDocument
    from calib.certificates.signing import Linted
    from calib.evaluation.inputs import CalibrationInput

TYPE, DAY = "thermometer.digital_probe", "2026-03-02"
AT = datetime(2026, 3, 3, 2, 15, tzinfo=UTC)
HOST = "calib.example.org"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Keys:
    """A seal under a root of its own, and the mark of the laboratory."""

    chain: tuple[x509.Certificate, ...]
    seal: Callable[[bytes], bytes]
    mark: Callable[[bytes], bytes]
    mark_key: str


@cache
def keys() -> Keys:
    """Return keys of the moment."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    from calib.certificates.seal_chain import make_root, make_seal_certificate
    from calib.ledger.notes import ED25519, NoteKey

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    steady = ec.ECDSA(hashes.SHA256())
    start, end = AT - timedelta(days=30), AT + timedelta(days=700)
    root = make_root(
        "root", root_key.public_key(), start, end, lambda content: root_key.sign(content, steady)
    )
    own = make_seal_certificate(
        "HZ seal 1", "Bench", "HZ", key.public_key(), root, start, end,
        lambda content: root_key.sign(content, steady),
    )  # fmt: skip
    mark = ed25519.Ed25519PrivateKey.generate()
    named = NoteKey(f"{HOST}/labs/HZ/mark", ED25519, mark.public_key().public_bytes_raw())
    return Keys((own, root), lambda content: key.sign(content, steady), mark.sign, str(named))


@cache
def record() -> CalibrationInput:
    """Return the frozen readings, simulated from a fixed seed and taken for measured."""
    from calib.simulation.model import Model, prepare
    from calib.simulation.simulate import Wanted, simulate
    from instruments.catalogue.loader import load_catalogue

    ready = prepare(Model(load_catalogue().get(TYPE), performed_on=DAY))
    (drawn,) = simulate(ready, 5, [1], Wanted(grade="good", all_passed=True))
    return replace(drawn.record, simulated=False)


def drafted(*, budgets: bool = True) -> CertificateDocument:
    """Return a document of a number of its own, five pages with its budgets and three without."""
    number = f"HZ-JZ-2026-{next(_numbers):06d}"
    return replace(_document(), number=number, include_budget=budgets)


@cache
def _document() -> CertificateDocument:
    from calib.certificates.document import (
        CertificateDocument,
        CustomerWords,
        ItemWords,
        LabWords,
        PersonWords,
        PlaceWords,
        Provenance,
        SealWords,
    )  # fmt: skip
    from calib.certificates.drafting import kind_of, measurement_of
    from calib.certificates.seal_chain import fingerprint
    from calib.evaluation.evaluate import evaluate
    from instruments.text import LocalizedText

    frozen, token = record(), "k3Jr0Zq9TtW5mX2bYc7LdA"
    result = evaluate(frozen)
    lab = LocalizedText("Riverside Institute of Metrology", "滨江市计量测试研究院")
    return CertificateDocument(
        kind=kind_of(frozen.kind, result.verdict), language="zh+en", number="-", token=token,
        address=f"https://{HOST}/c/{token}",
        lab=LabWords(lab, LocalizedText("12 Gauge Road", "衡器路12号")),
        customer=CustomerWords(LocalizedText("East Station", "火车东站"), "1 Station Square"),
        item=ItemWords(
            frozen.definition.name, frozen.item.maker, frozen.item.model, "SN-1",
            condition="undamaged",
        ),
        order_number="WT2026-0042", received_on=DAY, performed_from=DAY, performed_on=DAY,
        issued_on="2026-03-03", issued_at=AT.strftime("%Y-%m-%dT%H:%M:%SZ"),
        place=PlaceWords("laboratory", LocalizedText("Room 204", "204室")),
        persons=(PersonWords("performed", "Chen"), PersonWords("reviewed", "Li"),
                 PersonWords("authorised", "Zhao")),
        measurement=measurement_of(frozen, result), result=result, include_budget=True,
        provenance=Provenance("calib"), seal="sealed",
        seal_key=SealWords("HZ seal 1", fingerprint(keys().chain[0])),
    )  # fmt: skip


def linted(*, budgets: bool = True) -> Linted:
    """Return a document that passed its lints."""
    from calib.certificates.signing import Drafted, pass_lints

    return pass_lints(Drafted(drafted(budgets=budgets)))


def evaluated() -> object:
    """Evaluate the frozen readings."""
    from calib.evaluation.evaluate import evaluate

    return evaluate(record())


def sealed_data(found: Linted) -> bytes:
    """Return the DCC with its XAdES seal, compared before and after."""
    from calib.certificates.signing import write_data
    from calib.certificates.xml_seal import seal_xml

    return write_data(found, lambda _, xml: seal_xml(xml, keys().chain, AT, keys().seal))


def marked(found: Linted) -> str:
    """Return the signed mark of the code."""
    from calib.ledger.marks import fragment_of
    from calib.ledger.notes import read_note_key, signed
    from calib.verifier.marks import mark_of

    said = mark_of(found.document, f"{HOST}/log", 42)
    signature = keys().mark(said.text().encode())
    return fragment_of(said, signed(read_note_key(keys().mark_key), signature))


def attached(found: Linted) -> Mapping[str, bytes]:
    """Return what goes into the file beside the document."""
    from calib.certificates.pdf import MARK

    readings = record().canonical()
    return {"input.json": readings, "dcc.xml": sealed_data(found), MARK: marked(found).encode()}


def rendered(files: Mapping[str, bytes]) -> bytes:
    """Return the pages of a new number with what is attached."""
    from calib.certificates.pdf import render

    return render(drafted(), files)


def read_again(found: Linted, files: Mapping[str, bytes], content: bytes) -> int:
    """Return how much of what the file says differs from its document."""
    from calib.certificates.reread import reread

    return len(reread(found.document, content, files))


def sealed(content: bytes) -> bytes:
    """Return the file with its PAdES seal."""
    from calib.certificates.pdf_seal import seal_pdf

    return seal_pdf(content, keys().chain, AT, keys().seal)


def stages() -> dict[str, Callable[[], object]]:
    """Return every stage of the chain as a function to be timed, with what it needs made before."""
    from calib.certificates.pdf import render

    found = linted()
    files = attached(found)
    content = render(found.document, files)
    return {
        "evaluation": evaluated,
        "lints": linted,
        "DCC, compared and sealed": lambda: sealed_data(found),
        "mark": lambda: marked(found),
        "pages": lambda: rendered(files),
        "pages read again": lambda: read_again(found, files, content),
        "seal of the file": lambda: sealed(content),
    }


def whole_chain(*, budgets: bool = True) -> tuple[Linted, bytes]:
    """Go from a draft to the sealed file, with every comparison on the way."""
    from calib.certificates.signing import render_linted

    found = linted(budgets=budgets)
    return found, sealed(render_linted(found, attached(found)).content)


def otherwise(made: tuple[Linted, bytes]) -> float:
    """Return the share of steps that do not hold: what is read again, and the seal."""
    from calib.certificates.pdf_seal_reading import verified_pdf
    from calib.certificates.reread import read_file, reread

    found, content = made
    files = dict(read_file(content).attachments)
    files.pop("certificate.json")
    signer = verified_pdf(content, [keys().chain[-1]]).signer
    wrong = [reread(found.document, content, files) != (), signer != keys().chain[0]]
    return sum(wrong) / len(wrong)
