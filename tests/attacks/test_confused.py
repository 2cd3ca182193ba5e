"""Genuine parts in the wrong place: of another laboratory, of another kind, of another time.

Nothing here is forged by a strange key alone. Each attack takes what somebody really signed, and
shows it as something it is not; or lets a file speak where the verifier speaks.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from calib.ledger.checkpoints import Checkpoint
from calib.ledger.merkle import inclusion_proof, leaf_hash, node_hash, nodes_of, root
from calib.ledger.notes import COSIGNATURE, Note
from calib.verifier import standalone
from calib.verifier.advice import NEXT_WORDS, advice
from calib.verifier.examine import examine
from calib.verifier.marks import mark_of
from instruments.canonical import canonical_json
from instruments.text import LocalizedText
from tests.ledger.keys import Key
from tests.support import forge
from tests.support.forge import (
    DAY,
    FIRST,
    LOG,
    NOW,
    ORIGIN,
    SECOND,
    STATUS,
    TRUST,
    WITNESS,
    Book,
    listed,
)
from tests.support.refusals import need_refused, step

# ----------------------------------------------- another laboratory of the same installation


def under(code: str, **changes):
    """Return the attack in whose log a genuine file of the first stands under another code."""

    def attack(world):
        book = Book(lines=list(world.book.lines))
        subject = world.subject(world.first, lab=code, **changes)
        return book.proof(book.note(subject), subject).text().encode()

    return attack


OTHER_LAB = {
    "the other laboratory's code": under("LK"),
    "a code in small letters": under("rd"),
    "a code with a space": under("RD "),
    "a code of look-alike letters": under("\u0420D"),
    "a code of full width": under("\uff32\uff24"),
    "a code of no laboratory": under(""),
    "a code that is a number": under(7),
    "a code that is a list": under(["RD"]),
    "a code that all objects have": under("constructor"),
}


@pytest.mark.parametrize("name", OTHER_LAB)
@pytest.mark.parametrize("form", ["pdf", "dcc"])
def test_a_line_in_the_name_of_another_laboratory_is_told(world, name, form):
    """The log really holds it: the laboratory next door wrote a line for a file that is not its."""
    evidence = world.evidence(proof=OTHER_LAB[name](world))
    need_refused(getattr(world.first, form), evidence, step("log"))


NAMES = {
    "of look-alike letters": LocalizedText(
        FIRST.words.name.en.replace("e", "\u0435"), FIRST.words.name.zh
    ),
    "with a letter nobody sees": LocalizedText(FIRST.words.name.en + "\u200b", FIRST.words.name.zh),
    "in one language alone": LocalizedText(FIRST.words.name.en),
    "with the languages turned": LocalizedText(FIRST.words.name.zh, FIRST.words.name.en),
    "read from the right": LocalizedText("\u202e" + FIRST.words.name.en, FIRST.words.name.zh),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_laboratory_whose_name_is_nearly_another_is_not_that(world, name):
    """What is pinned bears the other name: a certificate that looks the same is not of it."""
    trust = replace(TRUST, labs={**TRUST.labs, "RD": (NAMES[name],)})
    evidence = world.evidence(world.first, trust=trust)
    need_refused(world.first.pdf, evidence, step("seal"), step("log"))


# ------------------------------------------------------------- codes on the wrong item


def _resigned(**changes):
    """Return the code of the first with the mark changed, signed by its own laboratory."""

    def attack(world):
        mark = replace(mark_of(world.first.document, ORIGIN, 3), **changes)
        return forge.signed_mark(mark, FIRST.mark)

    return attack


ATTACHED = {
    "of the second certificate": lambda w: w.second.attachments["mark.txt"],
    "of a withdrawn one": lambda w: w.withdrawn.attachments["mark.txt"],
    "of the other laboratory": lambda w: w.foreign.attachments["mark.txt"],
    "with another item": _resigned(item="77"),
    "with another day": _resigned(issued_on="2026-03-04"),
    "with a validity": _resigned(until="2030-01-01"),
    "with another result": _resigned(verdict="pass"),
    "with another kind": _resigned(kind="verification_certificate"),
    "with another payload": _resigned(payload=bytes(16)),
    "with the status of another": lambda w: _resigned(
        entry=mark_of(w.second.document, ORIGIN, 3).entry
    )(w),
    "of another log": _resigned(origin="evil.example/log"),
}


@pytest.mark.parametrize("name", ATTACHED)
def test_a_genuine_mark_inside_another_file_is_told(world, name):
    """The laboratory itself sealed the file: but the code on it speaks of something else."""
    made = forge.made(world.first.document, attach={"mark.txt": ATTACHED[name](world)})
    report = need_refused(made.pdf, world.evidence(), step("mark"))
    assert report.verdict == "invalid"


# ---------------------------------------------------------------- one kind of text for another


def signed(text: str, *keys: Key) -> bytes:
    """Return a text signed as a note."""
    return str(Note(text, tuple(key.line(text) for key in keys))).encode()


def _head_text(world) -> str:
    return world.proof(world.first).checkpoint.text()


STATUS_OF_ANOTHER_KIND = {
    "head of the log by the key of lists": lambda w: signed(_head_text(w), STATUS),
    "mark by the key of lists": lambda w: signed(
        mark_of(w.first.document, ORIGIN, 3).text(), STATUS
    ),
    "list cosigned by a witness": lambda w: signed(
        w.status.decode().rpartition("\n\n")[0] + "\n", WITNESS
    ),
    "list with the signature of a head": lambda w: str(
        Note(w.status.decode().rpartition("\n\n")[0] + "\n", (LOG.line(_head_text(w)),))
    ).encode(),
    "list as a cosignature by the key of lists": lambda w: signed(
        w.status.decode().rpartition("\n\n")[0] + "\n",
        Key(STATUS.note_key.name, COSIGNATURE),
    ),
}


@pytest.mark.parametrize("name", STATUS_OF_ANOTHER_KIND)
def test_what_is_signed_as_something_else_is_no_status_list(world, name):
    status = STATUS_OF_ANOTHER_KIND[name](world)
    for one in (world.first, world.withdrawn):
        evidence = world.evidence(one, status=status)
        need_refused(one.dcc, evidence, step("status", "not_established"))


def _under_head(text, *keys):
    """Return the attack whose proof stands on a head of another text."""

    def attack(world):
        proof = world.proof(world.first).text()
        start = proof[: proof.index("\n\n") + 2]
        return (start + signed(text(world), *keys).decode()).encode()

    return attack


HEADS = {
    "a status list by the log": _under_head(
        lambda w: w.status.decode().rpartition("\n\n")[0] + "\n", LOG, WITNESS
    ),
    "a mark by the log": _under_head(
        lambda w: mark_of(w.first.document, ORIGIN, 3).text(), LOG, WITNESS
    ),
    "a head by the key of lists": _under_head(_head_text, STATUS, WITNESS),
    "a head by the key of codes": _under_head(_head_text, FIRST.mark, WITNESS),
    "a head cosigned as a witness by the log": _under_head(
        _head_text, Key(ORIGIN, COSIGNATURE), WITNESS
    ),
    "a head of nothing": _under_head(
        lambda w: Checkpoint(ORIGIN, 0, hashlib.sha256(b"").digest()).text(), LOG, WITNESS
    ),
    "a head of the line alone": _under_head(
        lambda w: Checkpoint(
            ORIGIN, 1, leaf_hash(w.book.lines[w.places[w.first.document.number]])
        ).text(),
        LOG, WITNESS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_a_head_of_another_kind_or_size_carries_no_line(world, name):
    proof = HEADS[name](world)
    need_refused(world.first.pdf, world.evidence(proof=proof), step("log"))
    with pytest.raises((standalone.Wrong, ValueError)):
        standalone.check_log(json.loads(TRUST.canonical()), proof, world.first.pdf, NOW)


# ---------------------------------------------------------------------------- trees in trees


def _inner_node(world):
    """Prove a node over two lines as if it were a line."""
    lines = [leaf_hash(one) for one in world.book.lines]
    pairs = [node_hash(a, b) for a, b in zip(lines[::2], lines[1::2], strict=False)]
    head = Checkpoint(ORIGIN, len(pairs), root(len(pairs), nodes_of(pairs)))
    place = world.places[world.first.document.number] // 2
    path = inclusion_proof(place, len(pairs), nodes_of(pairs))
    genuine = world.proof(world.first)
    return replace(genuine, place=place, path=path, note=Note(head.text(), ()), checkpoint=head)


def _smaller(size):
    def attack(world):
        proof = world.proof(world.first)
        head, _ = world.book.head(size)
        return replace(proof, note=Note(head.text(), ()), checkpoint=head)

    return attack


def _path_of_smaller(world):
    """Put the path that a smaller tree had before the head of the larger one."""
    proof, size = world.proof(world.first), world.places[world.first.document.number] + 1
    _, nodes = world.book.head(size)
    return replace(proof, path=inclusion_proof(proof.place, size, nodes))


TREES = {
    "inner node": _inner_node,
    "head of one line less": lambda w: _smaller(len(w.book.lines) - 1)(w),
    "head before the line": lambda w: _smaller(w.places[w.first.document.number])(w),
    "head of the first line": _smaller(1),
    "path of a smaller tree": _path_of_smaller,
    "place of the next": lambda w: replace(
        w.proof(w.first), place=w.places[w.first.document.number] + 1
    ),
    "path upside down": lambda w: replace(
        w.proof(w.first), path=tuple(reversed(w.proof(w.first).path))
    ),
    "path with the root behind it": lambda w: replace(
        w.proof(w.first), path=(*w.proof(w.first).path, w.proof(w.first).checkpoint.root)
    ),
}


@pytest.mark.parametrize("name", TREES)
def test_a_path_through_another_tree_leads_nowhere(world, name):
    proof = TREES[name](world)
    text = proof.note.text
    proof = replace(proof, note=Note(text, tuple(key.line(text) for key in (LOG, WITNESS))))
    content = proof.text().encode()
    need_refused(world.first.pdf, world.evidence(proof=content), step("log"))
    with pytest.raises(standalone.Wrong):
        standalone.check_log(json.loads(TRUST.canonical()), content, world.first.pdf, NOW)


def _shifted(count):
    """Move bytes from the salt to the subject, or back: the hash sees them side by side."""

    def attack(world):
        subject = world.subject(world.first)
        inside = canonical_json(subject)
        salt = "11" * 16
        moved = salt + inside[:count].hex() if count > 0 else salt[:count]
        extra = canonical_json({"salt": moved, "subject": subject})
        return replace(world.proof(world.first), extra=extra).text().encode()

    return attack


@pytest.mark.parametrize("count", [-32, -2, 1, 2, 40])
def test_what_lies_between_salt_and_subject_cannot_be_moved(world, count):
    need_refused(world.first.pdf, world.evidence(proof=_shifted(count)(world)), step("log"))


# ------------------------------------------------------------------------------------- time

TIMES = {
    "before it was issued": {"now": NOW - 30 * DAY},
    "when the list has ended": {"now": NOW + DAY},
    "a year on": {"now": NOW + 365 * DAY},
    "list of the last second": {"status": listed(issued_at=NOW - DAY)},
    "list that lasts no time": {"status": listed(issued_at=NOW, lasts=timedelta())},
    "list of a second ahead": {"status": listed(issued_at=NOW + timedelta(seconds=1))},
    "list of a hundred years, eight days old": {
        "status": listed(issued_at=NOW - 8 * DAY, lasts=36500 * DAY)
    },
}


@pytest.mark.parametrize("name", TIMES)
def test_at_another_time_nothing_is_called_standing(world, name):
    report = need_refused(world.first.dcc, world.evidence(world.first, **TIMES[name]))
    assert report.verdict in ("cannot_tell", "invalid")


SEEN = {
    "a day and a second ahead": NOW + DAY + timedelta(seconds=1),
    "in ten years": NOW + 3650 * DAY,
}


@pytest.mark.parametrize("name", SEEN)
def test_a_witness_of_the_future_has_seen_nothing(world, name):
    content = world.proof(world.first, seconds=int(SEEN[name].timestamp())).text().encode()
    need_refused(world.first.pdf, world.evidence(proof=content), step("witnesses"))


# ------------------------------------------------------------------------------- a DCC alone


def test_a_dcc_without_its_seal_is_not_of_who_seals(world):
    """The laboratory seals what it issues: the same numbers without the seal are nobody's."""
    from lxml import etree

    tree = etree.fromstring(world.first.dcc)
    for seal in tree.findall("{http://www.w3.org/2000/09/xmldsig#}Signature"):
        tree.remove(seal)
    for evidence in (world.evidence(), world.evidence(world.first)):
        report = need_refused(etree.tostring(tree), evidence, step("seal"))
        assert report.verdict == "invalid"


@pytest.mark.parametrize("name", ["withdrawn", "superseded"])
def test_a_dcc_of_what_ended_has_ended(world, name):
    one = getattr(world, name)
    assert need_refused(one.dcc, world.evidence(one), step("status")).verdict == name


def test_a_dcc_with_the_proof_of_another_borrows_no_standing(world):
    """The status would be that of the other: it is not asked."""
    report = need_refused(world.withdrawn.dcc, world.evidence(world.first), step("log"))
    assert report.step("status").state == "not_established"


def test_the_bundle_of_another_installation_is_told_as_such(world):
    stranger = replace(
        TRUST,
        policy=f"log {Key(ORIGIN, seed='other').note_key}\nquorum none\n",
        roots=(forge.pem_of(forge.a_root("other").chain),),
        seals=(), marks=TRUST.marks[1:],
    )  # fmt: skip
    for content in (world.first.pdf, world.first.dcc, world.first.code.encode()):
        report = need_refused(content, world.evidence(world.first, trust=stranger))
        assert advice(report) == NEXT_WORDS["stranger"]


def test_certificates_of_the_other_laboratory_stay_its_own(world):
    """Nothing of the above is refused for being of the second laboratory."""
    report = examine(world.foreign.dcc, world.evidence(world.foreign))
    assert report.verdict == "valid"
    assert SECOND.words.name.en in report.says["laboratory"]


def test_the_number_of_another_proof_is_told(world):
    evidence = world.evidence(world.second)
    report = need_refused(world.first.dcc, evidence, step("log"), step("seal", "established"))
    assert "proof is not of this file" in report.step("log").text()
