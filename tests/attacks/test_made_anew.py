"""Certificates that were made anew with the program itself: other numbers, other keys, other time.

The attacker has every tool and template; of keys only those each attack names.
"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest

from calib.certificates.document import Provenance, SealWords
from calib.certificates.pdf import MARK, render
from calib.certificates.pdf_seal import seal_pdf
from calib.certificates.seal_chain import fingerprint, pem_of
from calib.evaluation.evaluate import evaluate
from calib.verifier.marks import mark_of
from instruments.text import LocalizedText
from tests.ledger.keys import Key
from tests.support import forge
from tests.support.forge import FIRST, HOST, NOW, ORIGIN, ROOT, SECOND, a_certificate, made
from tests.support.refusals import need_refused, step

NUMBER = "RD2026-000101"
BETTER = (("0", "0.000", "0.00"), ("50", "50.000", "50.00"), ("100", "100.000", "100.00"))
OPEN = {"seal": "unsigned", "seal_key": None}


def better(number: str = NUMBER, lab=FIRST, **changes):
    """Return the document of a certificate with better numbers, and its readings."""
    record = forge.a_record(rows=BETTER)
    return a_certificate(number, lab, record=record, **changes), record


def by(lab, **more):
    """Forge better numbers, sealed by the keys of a laboratory."""

    def forged(world):
        document, record = better(**more)
        return made(document, lab, record=record).pdf

    return forged


def under(above, seed: str, code: str = "RD", **more):
    """Return the first laboratory with a seal of the attacker's."""
    name = FIRST.words.name.en
    seal = forge.a_seal_under(above, code, name, seed, **more) if above else None
    return replace(FIRST, seal=seal or forge.a_seal_alone(code, seed), mark=Key("evil/mark"))


def _only_root(lab):
    return replace(lab, seal=replace(ROOT, chain=ROOT.chain))


def _look_alike(name_en: str, name_zh: str):
    words = replace(FIRST.words, name=LocalizedText(name_en, name_zh))

    def forged(world):
        record = forge.a_record(rows=BETTER)
        document = replace(a_certificate(NUMBER, SECOND, record=record), lab=words)
        return made(document, SECOND, record=record).pdf

    return forged


def _unsigned(**changes):
    def forged(world):
        record = forge.a_record(rows=BETTER)
        document = a_certificate(NUMBER, record=record, **OPEN, **changes)
        return made(document, record=record, attach={MARK: world.first.attachments[MARK]}).pdf

    return forged


def _unsigned_without_code(world):
    document, record = better(**OPEN)
    return made(document, record=record, attach={MARK: None}).pdf


def _unsigned_alike(world):
    """Every number as it is, but the file says that it bears no seal."""
    return made(a_certificate(NUMBER, **OPEN)).pdf


def _resaved(content: bytes, attachments) -> bytes:
    with pikepdf.open(io.BytesIO(content)) as file:
        for name, one in attachments.items():
            file.attachments[name] = one
        out = io.BytesIO()
        file.save(out)
    return out.getvalue() + b"\n"


def _other_pages(lab):
    """Return forged pages that carry every file of the genuine certificate."""

    def forged(world):
        document, record = better()
        pages = made(document, lab, record=record).pages
        files = {
            "certificate.json": world.first.document.canonical(),
            **world.first.attachments,
        }
        content = _resaved(pages, files)
        return seal_pdf(content, lab.seal.chain, forge_at(document), lab.seal.sign)

    return forged


def forge_at(document):
    """Return when a document says it was issued."""
    return datetime.fromisoformat(document.issued_at)


def _with(lab=FIRST, xml=None, attach=None, record=None, **changes):
    """Forge with genuine keys of a laboratory: somebody inside cheats."""

    def forged(world):
        document = a_certificate(NUMBER, lab, **changes)
        given = attach(world, document) if attach else None
        return made(document, lab, xml=xml, attach=given, record=record).pdf

    return forged


def _other_result(world):
    """State the result of better readings than are in the file."""
    good = evaluate(forge.a_record(rows=BETTER))
    document = replace(a_certificate(NUMBER), result=good)
    return made(document).pdf


def _smaller_U(world):
    result = a_certificate(NUMBER).result
    points = tuple(
        replace(one, printed=replace(one.printed, U="0.001"), U=0.001) for one in result.points
    )
    return made(replace(a_certificate(NUMBER), result=replace(result, points=points))).pdf


def _preview(world):
    document = a_certificate(NUMBER)
    pages = render(document, {}, preview=True)
    return seal_pdf(pages, FIRST.seal.chain, forge_at(document), FIRST.seal.sign)


def _preview_with_files(world):
    document = a_certificate(NUMBER)
    pages = _resaved(
        render(document, {}, preview=True),
        {"certificate.json": document.canonical(), **world.first.attachments},
    )
    return seal_pdf(pages, FIRST.seal.chain, forge_at(document), FIRST.seal.sign)


def _mark_by(key):
    return lambda world, document: {MARK: forge.signed_mark(mark_of(document, ORIGIN, 3), key)}


def _mark_saying(**changes):
    return lambda world, document: {
        MARK: forge.signed_mark(replace(mark_of(document, ORIGIN, 3), **changes), FIRST.mark)
    }


def _number_in_xml(xml: bytes) -> bytes:
    return xml.replace(b"50.020", b"50.000")


def _unit_in_xml(xml: bytes) -> bytes:
    return xml.replace(b"\\degreecelsius", b"\\kelvin")


def _serial_in_xml(xml: bytes) -> bytes:
    serial = a_certificate(NUMBER).item.serial.encode()
    return xml.replace(serial, serial + b"9")


def _input(edit):
    def attach(world, document):
        plain = json.loads(world.first.attachments["input.json"])
        edit(plain)
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return {"input.json": text.encode()}

    return attach


STRANGE_ROOT = forge.a_root("Evil CA")
SAME_NAME = replace(
    forge.a_root("another key"),
    chain=(
        forge.make_root(
            f"{HOST} root 1",
            forge.a_key("another key").public_key(),
            forge.STARTS,
            forge.ENDS,
            forge.signing(forge.a_key("another key")),
        ),
    ),
)
OF_OTHERS = {
    "under a root of one's own": (by(under(STRANGE_ROOT, "x")), "seal"),
    "under a root of the same name": (by(under(SAME_NAME, "x")), "seal"),
    "by a key under no root": (by(under(None, "x")), "seal"),
    "by the root itself": (by(_only_root(FIRST)), "seal"),
    "under the root, by a key nobody pinned": (by(under(ROOT, "unknown")), "seal"),
    "by a seal under another seal": (
        by(under(replace(SECOND.seal, chain=(SECOND.seal.chain[0],)), "x")), "seal",
    ),
    "by the other laboratory": (by(SECOND), "seal"),
    "by the other laboratory, named as its key": (
        by(SECOND, seal_key=SealWords("LK seal 1", fingerprint(SECOND.seal.chain[0]))), "seal",
    ),
    "by the other laboratory under a Cyrillic name": (
        _look_alike("Riverside Institute оf Metrology", "滨江市计量测试研究院"), "seal",
    ),
    "by the other laboratory under a name with a space": (
        _look_alike("Riverside Institute of Metrology ", "滨江市计量测试研究院"), "seal",
    ),
    "by the other laboratory under half a name": (
        _look_alike("Riverside Institute of Metrology", "湖滨市计量测试研究院"), "seal",
    ),
    "unsealed, with the genuine code": (_unsigned(), "mark"),
    "unsealed, without a code": (_unsigned_without_code, "log"),
    "unsealed, every number as it is": (_unsigned_alike, "log"),
    "other pages with the genuine files": (_other_pages(SECOND), "seal"),
    "other pages with the genuine files, own root": (
        _other_pages(under(STRANGE_ROOT, "x")), "seal",
    ),
}  # fmt: skip
INSIDE = {
    "other pages with the genuine files": (_other_pages(FIRST), "text"),
    "better numbers under a number that was used": (by(FIRST), "log"),
    "better numbers under a new number": (by(FIRST, number="RD2026-000199"), "log"),
    "result of other readings": (_other_result, "recomputation"),
    "uncertainty made smaller": (_smaller_U, "recomputation"),
    "readings of another record": (
        _with(record=forge.a_record(rows=BETTER)), "recomputation",
    ),
    "readings left out": (_with(attach=lambda w, d: {"input.json": None}), "log"),
    "readings in another order": (
        _with(attach=_input(lambda plain: plain["input"]["points"].reverse())), "recomputation",
    ),
    "readings that are no record": (
        _with(attach=lambda w, d: {"input.json": b"{}"}), "recomputation",
    ),
    "readings that are a list": (
        _with(attach=lambda w, d: {"input.json": b"[]"}), "recomputation",
    ),
    "readings nested deep": (
        _with(attach=lambda w, d: {"input.json": b"[" * 5000 + b"]" * 5000}), "recomputation",
    ),
    "number in the digital certificate": (_with(xml=_number_in_xml), "dcc"),
    "unit in the digital certificate": (_with(xml=_unit_in_xml), "dcc"),
    "serial number in the digital certificate": (_with(xml=_serial_in_xml), "dcc"),
    "digital certificate of another": (
        _with(attach=lambda w, d: {"dcc.xml": w.second.dcc}), "dcc",
    ),
    "digital certificate of another laboratory": (
        _with(attach=lambda w, d: {"dcc.xml": w.foreign.dcc}), "dcc",
    ),
    "digital certificate without its seal": (
        _with(attach=lambda w, d: {"dcc.xml": forge.write_dcc(d)}), "dcc",
    ),
    "digital certificate that is none": (_with(attach=lambda w, d: {"dcc.xml": b"<a/>"}), "dcc"),
    "code of another certificate": (
        _with(attach=lambda w, d: {MARK: w.second.attachments[MARK]}), "mark",
    ),
    "code of another laboratory": (_with(attach=_mark_by(SECOND.mark)), "mark"),
    "code by a stranger": (_with(attach=_mark_by(Key("evil"))), "mark"),
    "code by a stranger of the same name": (
        _with(attach=_mark_by(Key(FIRST.mark.note_key.name, seed="evil"))), "mark",
    ),
    "code by the key of the log": (_with(attach=_mark_by(forge.LOG)), "mark"),
    "code with a better verdict": (_with(attach=_mark_saying(verdict="pass")), "mark"),
    "code with another serial number": (_with(attach=_mark_saying(item="SN-2")), "mark"),
    "code of another log": (_with(attach=_mark_saying(origin="evil.example/log")), "mark"),
    "code valid for longer": (_with(attach=_mark_saying(until="2036-01-01")), "mark"),
    "code that is none": (_with(attach=lambda w, d: {MARK: b"-"}), "mark"),
    "preview, sealed": (_preview, "file"),
    "preview with the genuine files, sealed": (_preview_with_files, "text"),
    "accreditation for what is beyond its scope": (
        _with(lab=replace(FIRST, words=replace(FIRST.words, accreditation="CNAS L99999"))), "scope",
    ),
    "simulated readings": (_with(simulated=True), "simulated"),
    "of another day than the seal": (_with(issued_on="2026-03-04"), "log"),
    "legal validity that ended": (
        _with(valid_until="2026-03-01"), "validity",
    ),
    "made by another version": (
        _with(provenance=Provenance("calib 0.0.9", "a" * 64, "b" * 64)), "log",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_OTHERS)
def test_whoever_lacks_the_key_of_the_laboratory_makes_none_of_its_certificates(world, name):
    forge_it, where = OF_OTHERS[name]
    forged, evidence = forge_it(world), world.evidence(world.first)
    need_refused(forged, evidence, step(where))
    need_refused(forged, replace(evidence, proof=None))


@pytest.mark.parametrize("name", INSIDE)
def test_whoever_has_the_keys_and_cheats_is_found_out(world, name):
    forge_it, where = INSIDE[name]
    need_refused(forge_it(world), world.evidence(world.first), step(where))


# -------------------------------------------------------------------------------- lives of the key


def _key(**more: str):
    """Return the trust with other dates for the seal of the first laboratory."""
    seals = (forge.trusted_key(FIRST.seal.chain[0], "RD", **more), *forge.TRUST.seals[1:])
    return replace(forge.TRUST, seals=seals)


def _late_root():
    return under(ROOT, "ended", ends=datetime(2026, 3, 1, tzinfo=UTC))


def _pinned(lab, **more: str):
    return replace(
        forge.TRUST, seals=(*forge.TRUST.seals, forge.trusted_key(lab.seal.chain[0], "RD", **more))
    )


EARLY = forge.a_seal_under(
    ROOT, "RD", FIRST.words.name.en, "early", starts=NOW + timedelta(days=30)
)
TIMES = {
    "sealed before its key was made": (_key(valid_from="2026-03-04T00:00:00Z"), "contradicted"),
    "sealed after its key ended": (_key(valid_to="2026-03-02T00:00:00Z"), "contradicted"),
    "sealed when its key was known": (
        _key(compromised_at="2026-03-03T00:00:00Z"), "contradicted",
    ),
    "sealed the second its key was given up": (
        _key(compromised_at="2026-03-03T02:15:00Z"), "contradicted",
    ),
    "dated back before the key was given up": (
        _key(compromised_at="2026-03-05T00:00:00Z"), "not_established",
    ),
    "nobody saw it before the key ended": (
        _key(valid_to="2026-03-08T00:00:00Z"), "not_established",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TIMES)
def test_a_seal_out_of_the_life_of_its_key_is_told(world, name):
    """Made with the key, and no proof beside it: a thief of the key has none."""
    trust, state = TIMES[name]
    evidence = world.evidence(trust=trust)
    need_refused(by(FIRST)(world), evidence, step("seal", state))


@pytest.mark.parametrize("kind", ["ended", "early"])
def test_a_certificate_of_a_key_out_of_its_own_dates_is_refused(world, kind):
    lab = _late_root() if kind == "ended" else replace(FIRST, seal=EARLY)
    document, record = better(lab=lab)
    evidence = world.evidence(trust=_pinned(lab))
    need_refused(made(document, lab, record=record).pdf, evidence, step("seal"))


def test_a_seal_of_the_future_is_refused(world):
    document, record = better(issued_at="2026-03-11T09:00:00Z", issued_on="2026-03-11")
    forged = made(document, FIRST, record=record).pdf
    need_refused(forged, world.evidence(), step("seal"))


OTHER_TRUST = {
    "no root": (replace(forge.TRUST, roots=()), "not_established"),
    "root of another": (replace(forge.TRUST, roots=(pem_of(STRANGE_ROOT.chain),)), "contradicted"),
    "no key": (replace(forge.TRUST, seals=()), "contradicted"),
    "key of another laboratory": (
        replace(forge.TRUST, seals=tuple(
            replace(one, lab={"RD": "LK", "LK": "RD"}[one.lab]) for one in forge.TRUST.seals
        )), "contradicted",
    ),
    "laboratory of another name": (
        replace(forge.TRUST, labs={"RD": (SECOND.words.name,), "LK": (SECOND.words.name,)}),
        "contradicted",
    ),
    "no laboratory": (replace(forge.TRUST, labs={}), "contradicted"),
    "nothing": (None, "not_established"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_TRUST)
def test_who_trusts_others_is_not_told_that_it_is_valid(world, name):
    trust, state = OTHER_TRUST[name]
    evidence = world.evidence(world.first, trust=trust)
    need_refused(world.first.pdf, replace(evidence, proof=None), step("seal", state))
