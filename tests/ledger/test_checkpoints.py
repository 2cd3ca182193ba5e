"""Checkpoints, proofs of inclusion, and the answers of a witness."""

import base64

import pytest

from calib.ledger.checkpoints import Checkpoint, InclusionProof, read_checkpoint, read_proof
from calib.ledger.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    nodes_of,
    root,
)
from calib.ledger.notes import COSIGNATURE, Note
from calib.ledger.witnessing import answer, read_request, request_of
from instruments.errors import Invalid
from tests.ledger.keys import Key, note

ORIGIN = "lab.example/log"
LAB = Key(ORIGIN)
LEAVES = nodes_of([leaf_hash(str(i).encode()) for i in range(40)])


def head(size):
    return Checkpoint(ORIGIN, size, root(size, LEAVES))


def test_a_checkpoint_is_read_as_it_was_written():
    for size in (0, 1, 40):
        assert read_checkpoint(note(head(size), LAB)) == head(size)


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n3\n",
        f"\n3\n{ROOT}\n",
        f"{ORIGIN}\n03\n{ROOT}\n",
        f"{ORIGIN}\n-3\n{ROOT}\n",
        f"{ORIGIN}\n+3\n{ROOT}\n",
        f"{ORIGIN}\n\u0663\n{ROOT}\n",
        f"{ORIGIN}\n3 \n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 20}\n{ROOT}\n",
        f"{ORIGIN}\n3\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n3\n{base64.b64encode(bytes(31)).decode()}\n",
        f"{ORIGIN}\n3\n{ROOT}\nextension\n",
        f"{ORIGIN}\n3\n{ROOT}\n\n",
        f"{ORIGIN}\n\n{ROOT}\n",
    ],
)
def test_what_is_no_checkpoint(text):
    with pytest.raises(Invalid, match="no checkpoint"):
        read_checkpoint(Note(text, ()))


def proof(place=7, size=40, extra=b"salt and subject"):
    return InclusionProof(
        place, inclusion_proof(place, size, LEAVES), note(head(size), LAB), head(size), extra
    )


def test_a_proof_is_read_as_it_was_written():
    for one in (proof(), proof(extra=b""), proof(0, 1)):
        assert read_proof(one.text().encode()) == one


GOOD = proof().text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.replace("@v1", "@v2"),
        GOOD.replace("index 7", "index 07"),
        GOOD.replace("index 7", "index -7"),
        GOOD.replace("index 7\n", ""),
        GOOD.replace("extra ", "extra  "),
        GOOD.replace("index 7\n", "index 7\nAAAA\n"),
        GOOD.replace("index 7\n", "index 7\n" + f"{ROOT}\n" * 64),
        GOOD.replace("\n\n", "\n"),
        GOOD.replace("index 7", "ind\u00e9x 7"),
    ],
)
def test_what_is_no_proof(text):
    with pytest.raises(Invalid):
        read_proof(text.encode())


def asked(old, new, *keys, proof=None):
    lines = consistency_proof(old, new, LEAVES) if proof is None else proof
    body = request_of(
        old, [base64.b64encode(one).decode() for one in lines], note(head(new), *keys)
    )
    return read_request(body)


@pytest.mark.parametrize(
    ("old", "new", "latest", "status"),
    [
        (0, 7, None, 200),
        (0, 0, None, 200),
        (7, 40, 7, 200),
        (40, 40, 40, 200),
        (3, 40, 7, 409),
        (0, 40, 7, 409),
        (7, 40, None, 409),
    ],
)
def test_answers_of_a_witness(old, new, latest, status):
    seen = None if latest is None else head(latest)
    said = answer(asked(old, new, LAB), [LAB.note_key], seen)
    assert said.status == status
    assert said.cosign == (head(new) if status == 200 else None)
    if status == 409:
        assert (said.body, said.content_type) == (f"{latest or 0}\n", "text/x.tlog.size")


def test_a_witness_knows_whom_it_trusts():
    stranger = Key(ORIGIN, seed="another")
    assert answer(asked(0, 7, LAB), [], None).status == 404
    assert answer(asked(0, 7, stranger), [LAB.note_key], None).status == 403
    assert answer(asked(0, 7, stranger, LAB), [LAB.note_key], None).status == 200
    bent = asked(0, 7, LAB)
    forged = Note(head(8).text(), bent.note.signatures)
    assert answer(read_request(request_of(0, [], forged)), [LAB.note_key], None).status == 403


def test_a_witness_follows_no_fork():
    other = Checkpoint(ORIGIN, 7, bytes(32))
    said = answer(asked(7, 7, LAB), [LAB.note_key], other)
    assert (said.status, said.cosign) == (409, None)
    said = answer(asked(7, 40, LAB), [LAB.note_key], other)
    assert (said.status, said.cosign) == (422, None)
    said = answer(asked(7, 40, LAB, proof=[bytes(32)]), [LAB.note_key], head(7))
    assert (said.status, said.cosign) == (422, None)
    said = answer(asked(0, 7, LAB, proof=[bytes(32)]), [LAB.note_key], None)
    assert (said.status, said.cosign) == (422, None)


def test_an_old_size_above_the_checkpoint_is_a_bad_request():
    body = request_of(9, [], note(head(7), LAB))
    assert answer(read_request(body), [LAB.note_key], head(9)).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old x\n\n" + str(note(head(7), LAB)).encode(),
        b"old 00\n\n" + str(note(head(7), LAB)).encode(),
        b"new 0\n\n" + str(note(head(7), LAB)).encode(),
        b"old 0\nAAAA\n\n" + str(note(head(7), LAB)).encode(),
        b"old 0\n" + f"{ROOT}\n".encode() * 64 + b"\n" + str(note(head(7), LAB)).encode(),
        b"old 0\n\nno checkpoint\n\n" + str(LAB.line("no checkpoint\n")).encode() + b"\n",
        b"old 0\n\n" + str(note(head(7), LAB)).encode() + b"\0" * 200_000,
    ],
)
def test_what_is_no_request(body):
    assert read_request(body) is None
    assert answer(None, [LAB.note_key], None).status == 400


def test_a_new_witness_starts_from_nothing():
    assert root(0, LEAVES) == EMPTY_ROOT
    said = answer(asked(0, 40, LAB), [LAB.note_key], None)
    assert said.cosign == head(40)
    assert Key("w", COSIGNATURE).note_key.type == COSIGNATURE
