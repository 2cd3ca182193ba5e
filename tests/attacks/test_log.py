"""Proofs of other certificates, of other logs, by other keys; both verifiers are asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from calib.ledger.chain import leaf_of
from calib.ledger.checkpoints import Checkpoint
from calib.ledger.merkle import leaf_hash
from calib.ledger.notes import COSIGNATURE, Note
from calib.verifier import standalone
from instruments.canonical import canonical_json
from tests.ledger.keys import Key
from tests.support import forge
from tests.support.forge import LOG, NOW, ORIGIN, TRUST, WITNESS, Book
from tests.support.refusals import need_refused, step

EVIL_ORIGIN = "evil.example/log"
EVIL = Key(EVIL_ORIGIN)
STRANGER = Key(ORIGIN, seed="stranger")
OTHER_WITNESS = Key("witness.example", COSIGNATURE, seed="other")
WITNESS_AS_LOG = Key(ORIGIN, COSIGNATURE)


def of(name):
    """Return the attack that gives the proof of another certificate."""
    return lambda world: world.proof(getattr(world, name)).text().encode()


def signed_by(*keys, **more):
    """Return the attack with a head signed by these keys."""
    return lambda world: world.proof(world.first, keys=keys, **more).text().encode()


def bent(**changes):
    """Return the attack that changes parts of the genuine proof."""

    def attack(world):
        proof = world.proof(world.first)
        given = {name: one(proof) if callable(one) else one for name, one in changes.items()}
        return replace(proof, **given).text().encode()

    return attack


def text(old: str, new: str, count: int = 1):
    """Return the attack on the text of the genuine proof."""

    def attack(world):
        genuine = world.proof(world.first).text()
        assert old in genuine, old
        return genuine.replace(old, new, count).encode()

    return attack


def saying(logged: bool = False, **changes):
    """Return the attack whose line says something else; `logged`: it really stands in a log."""

    def attack(world):
        subject = world.subject(world.first, **changes)
        if not logged:
            place = world.places[world.first.document.number]
            return world.book.proof(place, subject).text().encode()
        book = Book(lines=list(world.book.lines))
        return book.proof(book.note(subject), subject).text().encode()

    return attack


def _own_log(world):
    """Prove it in a log of one's own."""
    book = Book(EVIL_ORIGIN, (EVIL, WITNESS))
    subject = world.subject(world.first)
    return book.proof(book.note(subject), subject).text().encode()


def _own_log_of_that_name(world):
    book = Book(ORIGIN, (STRANGER, WITNESS))
    subject = world.subject(world.first)
    return book.proof(book.note(subject), subject).text().encode()


def _own_log_with_a_genuine_head(world):
    """Put the genuine head behind a path of one's own."""
    book = Book(ORIGIN)
    subject = world.subject(world.first)
    own = book.proof(book.note(subject), subject)
    return replace(own, note=world.proof(world.first).note).text().encode()


def _older_head(world):
    """Put a head behind it from before the line was written."""
    proof = world.proof(world.first)
    head, _ = world.book.head(4)
    note = Note(head.text(), tuple(key.line(head.text()) for key in (LOG, WITNESS)))
    return replace(proof, note=note, checkpoint=head).text().encode()


def _signature_of_another_head(world):
    proof = world.proof(world.first)
    other, _ = world.book.head(4)
    lines = tuple(key.line(other.text()) for key in (LOG, WITNESS))
    return replace(proof, note=Note(proof.note.text, lines)).text().encode()


def _node_as_line(world):
    """Name an inner node as if it were the line."""
    proof = world.proof(world.first)
    return replace(proof, place=proof.place // 2, path=proof.path[1:]).text().encode()


def _size(size):
    def attack(world):
        proof = world.proof(world.first)
        head = Checkpoint(ORIGIN, size, proof.checkpoint.root)
        note = Note(head.text(), proof.note.signatures)
        return replace(proof, note=note, checkpoint=head).text().encode()

    return attack


def _salt(salt):
    def attack(world):
        place = world.places[world.first.document.number]
        return world.book.proof(place, world.subject(world.first), salt=salt).text().encode()

    return attack


def _extra(edit):
    def attack(world):
        proof = world.proof(world.first)
        return replace(proof, extra=edit(proof.extra)).text().encode()

    return attack


def _loose(extra: bytes) -> bytes:
    return json.dumps(json.loads(extra)).encode()


def _more(extra: bytes) -> bytes:
    return canonical_json({**json.loads(extra), "more": "1"})


def _file(role, digest="ab" * 32, *, logged=False):
    def attack(world):
        subject = world.subject(world.first)
        subject["files"] = {**subject["files"], role: digest}
        if not logged:
            return saying(files=subject["files"])(world)
        return saying(True, files=subject["files"])(world)

    return attack


ATTACKS = {
    "proof of the second": of("second"),
    "proof of the other laboratory": of("foreign"),
    "proof of the withdrawn": of("withdrawn"),
    "no proof but a head": lambda w: str(w.proof(w.first).note).encode(),
    "no proof but words": lambda w: b"genuine\n",
    "empty": lambda w: b"",
    "a list of statuses": lambda w: w.status,
    "own log": _own_log,
    "own log of that name": _own_log_of_that_name,
    "own log under a genuine head": _own_log_with_a_genuine_head,
    "head from before": _older_head,
    "signature of another head": _signature_of_another_head,
    "inner node as a line": _node_as_line,
    "head of no signature but the witness": signed_by(WITNESS),
    "head signed by a stranger of that name": signed_by(STRANGER, WITNESS),
    "head signed by the key of lists": signed_by(forge.STATUS, WITNESS),
    "head signed by the key of codes": signed_by(forge.FIRST.mark, WITNESS),
    "head cosigned by its own key": signed_by(WITNESS_AS_LOG, WITNESS),
    "no witness": signed_by(LOG),
    "another witness of that name": signed_by(LOG, OTHER_WITNESS),
    "a witness nobody asked for": signed_by(LOG, Key("witness.evil", COSIGNATURE)),
    "the witness signs as a log": signed_by(LOG, Key("witness.example")),
    "the witness of the future": signed_by(LOG, WITNESS, seconds=int(NOW.timestamp()) + 10**7),
    "the witness of the end of time": signed_by(LOG, WITNESS, seconds=2**63),
    "longer log": _size(10),
    "shorter log": _size(8),
    "empty log": _size(0),
    "huge log": _size(10**18),
    "another place": bent(place=lambda p: p.place + 1),
    "first place": bent(place=0),
    "place behind the end": bent(place=10**6),
    "path cut": bent(path=lambda p: p.path[:-1]),
    "path longer": bent(path=lambda p: (*p.path, bytes(32))),
    "path turned": bent(path=lambda p: p.path[::-1]),
    "path empty": bent(path=()),
    "path of zeros": bent(path=lambda p: (bytes(32),) * len(p.path)),
    "path of a thousand": bent(path=lambda p: p.path * 1000),
    "another salt": _salt("12" * 16),
    "no salt": _salt(""),
    "salt in large letters": _extra(lambda e: e.replace(b"11" * 16, b"AA" * 16)),
    "says nothing": _extra(lambda e: b"{}"),
    "says nothing at all": bent(extra=b""),
    "says more": _extra(_more),
    "says it loosely": _extra(_loose),
    "says it twice": _extra(lambda e: e + e),
    "says deep lists": _extra(lambda e: b"[" * 9000),
    "says a huge number": _extra(lambda e: e.replace(b"null", b"1e999")),
    "number as text in the place": text("index ", "index +"),
    "zero before the place": text("index ", "index 0"),
    "place in full width": text("index 4", "index ４"),
    "other header": text("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
    "line ends of another system": text("\n", "\r\n", 99),
    "origin in large letters": text(ORIGIN, ORIGIN.upper(), 9),
    "origin with a dot": text(f"{ORIGIN}\n", f"{ORIGIN}.\n"),
    "origin in Cyrillic": text(f"{ORIGIN}\n", f"{ORIGIN}\n".replace("a", "а")),
    "name of the key with a space of no width": text(f"— {ORIGIN}", f"— {ORIGIN}\u200b"),
    "name of the key in full width": text(f"— {ORIGIN}", f"— {ORIGIN}".replace("c", "ｃ")),
    "more lines in the head": text(f"\n\n— {ORIGIN}", f"\nextension\n\n— {ORIGIN}"),
    "a second head behind it": lambda w: w.proof(w.first).text().encode() * 2,
    "another number, claimed": saying(number="RD2026-000102"),
    "another number, logged": saying(True, number="RD2026-000102"),
    "another laboratory, claimed": saying(lab="LK"),
    "another laboratory, logged": saying(True, lab="LK"),
    "a laboratory nobody pinned, logged": saying(True, lab="XX"),
    "no laboratory, logged": saying(True, lab=""),
    "reserved, logged": saying(True, status="reserved"),
    "withdrawn, logged": saying(True, status="withdrawn"),
    "void, logged": saying(True, status="void"),
    "another document, logged": saying(True, payload="ab" * 32),
    "another token, logged": saying(True, entry="A" * 22),
    "another file, claimed": _file("pdf"),
    "another file, logged": _file("pdf", logged=True),
    "another digital certificate, logged": _file("dcc", logged=True),
    "other readings, logged": _file("input", logged=True),
    "no files, logged": saying(True, files={}),
    "files as a list, logged": saying(True, files=[]),
}  # fmt: skip
SEEN_BY_THE_PROGRAM_ALONE = {
    "another number, logged", "another laboratory, logged", "another document, logged",
    "another token, logged", "another digital certificate, logged", "other readings, logged",
}  # fmt: skip
"""The file that stands alone knows the bytes of the PDF and nothing inside it."""


@pytest.mark.parametrize("name", ATTACKS)
def test_a_proof_that_proves_something_else_is_told_by_both(world, name):
    proof = ATTACKS[name](world)
    where = "witnesses" if name in WITNESSES else "log"
    evidence = world.evidence(proof=proof)
    need_refused(world.first.pdf, evidence, step(where))
    if name in SEEN_BY_THE_PROGRAM_ALONE:
        return
    with pytest.raises(UNFIT):
        standalone.check_log(json.loads(TRUST.canonical()), proof, world.first.pdf, NOW)


UNFIT = (
    standalone.Wrong, ValueError, LookupError, TypeError, AttributeError, RecursionError,
)  # fmt: skip
"""What the file that stands alone turns into the words that it is worthless."""
WITNESSES = {
    "no witness", "another witness of that name", "a witness nobody asked for",
    "the witness signs as a log", "the witness of the future",
}  # fmt: skip


def test_the_genuine_proof_is_no_attack(world):
    proof = world.proof(world.first).text().encode()
    words, _ = standalone.check_log(json.loads(TRUST.canonical()), proof, world.first.pdf, NOW)
    assert "exactly these bytes" in words


TWO = (
    f"log {LOG.note_key}\nwitness w {WITNESS.note_key}\nwitness v {OTHER_WITNESS.note_key}\n"
    "group g all w v\nquorum g\n"
)
OTHER_TRUST = {
    "log of another": (f"log {EVIL.note_key}\nquorum none\n", EVIL_ORIGIN),
    "log of that name": (f"log {STRANGER.note_key}\nquorum none\n", ORIGIN),
    "witness of that name": (
        f"log {LOG.note_key}\nwitness w {OTHER_WITNESS.note_key}\nquorum w\n", ORIGIN,
    ),
    "two witnesses": (TWO, ORIGIN),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_TRUST)
def test_who_trusts_another_log_is_not_told_that_it_is_logged(world, name):
    policy, origin = OTHER_TRUST[name]
    trust = replace(TRUST, policy=policy, origin=origin, roots=(), seals=())
    evidence = world.evidence(world.first, trust=trust)
    report = need_refused(world.first.pdf, evidence)
    assert "contradicted" in {one.state for one in report.steps if one.id in ("log", "witnesses")}


def test_a_line_cannot_be_read_as_two(world):
    """What is hashed has one form: another subject never gives the same line."""
    subject = world.subject(world.first)
    line = leaf_of("issued", "11" * 16, subject)
    others = {
        leaf_of("issued", "11" * 16, {**subject, name: str(value) + " "})
        for name, value in subject.items()
    }
    assert line not in others
    assert len(others) == len(subject)
    assert leaf_hash(line.encode()) != leaf_hash(line.encode() + b"\n")


def test_the_file_that_stands_alone_names_what_is_wrong(world, tmp_path: Path, capsys):
    files = {
        "trust.json": TRUST.canonical(),
        "a.pdf": world.first.pdf,
        "a.tlog-proof": world.proof(world.second).text().encode(),
        "list": world.status,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    code = standalone.main(
        [str(tmp_path / "trust.json"), str(tmp_path / "a.pdf"), "--status", str(tmp_path / "list"),
         "--at", "2026-03-10T09:00:00Z"]
    )  # fmt: skip
    assert code == 1
    assert "the proof is of another one" in capsys.readouterr().out
