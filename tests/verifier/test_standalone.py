"""Two implementations, one answer: the verifier of the program and the file that stands alone."""

import copy
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calib.ledger.chain import leaf_of
from calib.ledger.checkpoints import Checkpoint, InclusionProof
from calib.ledger.merkle import inclusion_proof, leaf_hash, nodes_of, root
from calib.ledger.notes import COSIGNATURE, Note
from calib.ledger.statuses import Entry, StatusList, entry_of
from calib.ledger.trust import TrustBundle, TrustedKey
from calib.verifier import standalone
from calib.verifier.evidence import Evidence, log_steps, status_step
from instruments.canonical import canonical_json
from instruments.text import LocalizedText
from tests.ledger.keys import Key, note

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
ORIGIN = "lab.example/log"
LOG, STATUS = Key(ORIGIN), Key(f"{ORIGIN}/status")
WITNESS = Key("witness.example", COSIGNATURE)
PDF = b"%PDF-1.7 pages of a certificate \xe4\xb8\xad\n"
SUBJECT = {
    "lab": "L1",
    "number": "校字 2026-000123",
    "payload": "ab" * 32,
    "files": {"pdf": hashlib.sha256(PDF).hexdigest()},
    "status": "issued",
    "predecessor": None,
    "entry": entry_of("token"),
}
TRUST = TrustBundle(
    host="lab.example",
    origin=ORIGIN,
    policy=f"log {LOG.note_key}\nquorum none\n",
    labs={"L1": (LocalizedText(en="First", zh="一"),)},
    statuses=(TrustedKey(str(STATUS.note_key)),),
)
WITNESSED = replace(
    TRUST,
    policy=f"log {LOG.note_key}\nwitness w {WITNESS.note_key}\ngroup g any w\nquorum g\n",
)


def proof(*, subject=SUBJECT, place=5, size=9, keys=(LOG,), logged=None, salt="11" * 16):
    """Return a proof; `logged` is what the log really holds at the place, if not the subject."""
    leaves = [leaf_hash(f"another line {i}".encode()) for i in range(size)]
    line = leaf_of(subject.get("status", "issued"), salt, logged or subject)
    leaves[place] = leaf_hash(line.encode())
    nodes = nodes_of(leaves)
    head = Checkpoint(ORIGIN, size, root(size, nodes))
    extra = canonical_json({"salt": salt, "subject": subject})
    return InclusionProof(
        place, inclusion_proof(place, size, nodes), note(head, *keys), head, extra
    )


def both(trust, content, certificate=PDF):
    """Return whether each of the two lets the proof stand."""
    evidence = Evidence(NOW, trust, content)
    number = SUBJECT["number"]
    digests = {"pdf": hashlib.sha256(certificate).hexdigest()}
    steps = log_steps(evidence, digests, number)
    ours = all(step.state != "contradicted" for step in steps)
    try:
        standalone.check_log(json.loads(trust.canonical()), content, certificate)
        theirs = True
    except (standalone.Wrong, ValueError, KeyError, TypeError, IndexError):
        theirs = False
    return ours, theirs


@pytest.mark.parametrize("size", [1, 2, 9, 256, 300])
def test_both_let_a_good_proof_stand(size):
    for place in {0, size // 2, size - 1}:
        content = proof(place=place, size=size).text().encode()
        assert both(TRUST, content) == (True, True)


def test_both_ask_for_the_witness_the_policy_names():
    alone = proof().text().encode()
    seen = proof(keys=(LOG, WITNESS)).text().encode()
    assert both(WITNESSED, alone) == (False, False)
    assert both(WITNESSED, seen) == (True, True)
    assert both(TRUST, seen) == (True, True)


STRANGER = Key(ORIGIN, seed="another")
GOOD = proof()


def changed(**parts):
    subject = copy.deepcopy(SUBJECT)
    subject.update(parts)
    return subject


FORGED = {
    "other file": (GOOD, PDF + b" "),
    "unsigned head": (proof(keys=(STRANGER,)), PDF),
    "no signature but a witness": (proof(keys=(WITNESS,)), PDF),
    "another subject than was logged": (proof(logged=changed(number="N-2")), PDF),
    "another salt": (replace(GOOD, extra=GOOD.extra.replace(b"1111", b"1112", 1)), PDF),
    "another place": (replace(GOOD, place=4), PDF),
    "place behind the end": (replace(GOOD, place=9), PDF),
    "path too short": (replace(GOOD, path=GOOD.path[:-1]), PDF),
    "path too long": (replace(GOOD, path=(*GOOD.path, bytes(32))), PDF),
    "path bent": (replace(GOOD, path=(bytes(32), *GOOD.path[1:])), PDF),
    "reserved, not issued": (proof(subject=changed(status="reserved")), PDF),
    "withdrawn, not issued": (proof(subject=changed(status="withdrawn")), PDF),
    "lab nobody pinned": (proof(subject=changed(lab="L2")), PDF),
    "no files": (proof(subject=changed(files={})), PDF),
    "no extra": (replace(GOOD, extra=b""), PDF),
    "extra of another shape": (replace(GOOD, extra=b"[]"), PDF),
}


@pytest.mark.parametrize("name", FORGED)
def test_both_refuse_a_forged_proof(name):
    content, certificate = FORGED[name]
    assert both(TRUST, content.text().encode(), certificate) == (False, False)


def test_both_refuse_every_cut_and_every_flipped_bit():
    content = GOOD.text().encode()
    accepted = [n for n in range(len(content)) if any(both(TRUST, content[:n]))]
    assert accepted == []
    bent = bytearray(content)
    disagreed, stood = [], []
    for place in range(0, len(bent), 3):
        bit = 1 << place % 8
        bent[place] ^= bit
        answers = both(TRUST, bytes(bent))
        stood += [place] if answers[0] else []
        disagreed += [place] if answers[0] != answers[1] else []
        bent[place] ^= bit
    assert (disagreed, stood) == ([], [])


def listed(*, issued=NOW, key=STATUS, **entries):
    status = StatusList(
        ORIGIN,
        issued,
        issued + timedelta(hours=24),
        9,
        {entry_of(token): Entry(state, NOW.date()) for token, state in entries.items()},
    )
    return str(Note(status.text(), (key.line(status.text()),))).encode()


@pytest.mark.parametrize(
    ("content", "at", "expected"),
    [
        (listed(), NOW, "established"),
        (listed(other="withdrawn"), NOW, "established"),
        (listed(token="withdrawn"), NOW, "contradicted"),
        (listed(token="superseded"), NOW, "contradicted"),
        (listed(token="withdrawn"), NOW + timedelta(days=900), "contradicted"),
        (listed(), NOW + timedelta(hours=24), "not_established"),
        (listed(), NOW - timedelta(seconds=1), "not_established"),
        (listed(key=STRANGER), NOW, "not_established"),
    ],
)
def test_both_read_the_status_alike(content, at, expected):
    step = status_step(Evidence(at, TRUST, status=content), "token")
    code, words = standalone.check_status(
        json.loads(TRUST.canonical()), content, entry_of("token"), at
    )
    assert step.state == expected
    assert ("established", "contradicted", "not_established")[code] == expected
    assert words


def test_its_signatures_are_those_of_the_library():
    """A hundred keys and messages; and none with a bit of message, key or signature flipped."""
    for n in range(30):
        key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(bytes([n])).digest())
        public, message = key.public_key().public_bytes_raw(), bytes([n]) * n
        signature = key.sign(message)
        assert standalone.signed_by(public, message, signature)
        assert not standalone.signed_by(public, message + b"x", signature)
        for place in (0, 31, 32, 63):
            bent = bytearray(signature)
            bent[place] ^= 1 << n % 8
            assert not standalone.signed_by(public, message, bytes(bent))
        assert not standalone.signed_by(public[::-1], message, signature)
    assert not standalone.signed_by(b"", b"", b"")
    large = signature[:32] + (int.from_bytes(signature[32:], "little") + standalone.L).to_bytes(
        32, "little"
    )
    assert not standalone.signed_by(public, message, large)  # a second form of the same signature


def test_it_runs_alone_as_a_file(tmp_path, monkeypatch, capsys):
    files = {
        "trust.json": TRUST.canonical(),
        "a.pdf": PDF,
        "a.tlog-proof": GOOD.text().encode(),
        "status.txt": listed(),
        "ended.txt": listed(token="withdrawn"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    at = ["--at", "2026-03-02T09:00:00Z"]
    assert standalone.main(["trust.json", "a.pdf", "--status", "status.txt", *at]) == 0
    assert "line 5 of 9 in lab.example/log" in capsys.readouterr().out
    assert standalone.main(["trust.json", "a.pdf", "--status", "ended.txt", *at]) == 1
    assert standalone.main(["trust.json", "a.pdf"]) == 2
    assert standalone.main(["trust.json"]) == 3
    (tmp_path / "a.tlog-proof").unlink()
    assert standalone.main(["trust.json", "a.pdf"]) == 2
    (tmp_path / "a.tlog-proof").write_bytes(b"nonsense")
    assert standalone.main(["trust.json", "a.pdf"]) == 1


def test_it_imports_nothing_of_the_program():
    source = Path(standalone.__file__).read_text(encoding="utf-8")
    imported = {
        line.split()[1] for line in source.splitlines() if line.startswith(("import ", "from "))
    }
    assert imported <= {"base64", "hashlib", "json", "re", "sys", "datetime", "pathlib", "typing"}


def run(capsys, *arguments):
    """Return exit code and words of the program as somebody starts it."""
    code = standalone.main([str(one) for one in arguments])
    return code, capsys.readouterr().out


def test_files_that_are_not_there_are_named_without_a_verdict(tmp_path, capsys):
    trust, pdf = tmp_path / "trust.json", tmp_path / "a.pdf"
    trust.write_bytes(TRUST.canonical())
    pdf.write_bytes(PDF)
    for arguments in ((tmp_path / "no", pdf), (trust, tmp_path / "no"), (trust, pdf, "no")):
        code, said = run(capsys, *arguments)
        assert (code, "cannot be read" in said) == (3, True), said
    code, said = run(capsys, trust, pdf, "--at", "yesterday")
    assert (code, "time after --at" in said) == (3, True), said


@pytest.mark.parametrize(
    ("content", "with_proof", "expected", "words"),
    [
        (
            b"\xff\xd8\xff\xe0 a picture \0\0",
            None,
            2,
            "this is no certificate of Calib, or cannot be read",
        ),
        (b"", None, 2, "this is no certificate of Calib, or cannot be read"),
        (b"a letter", None, 2, "this is no certificate of Calib, or cannot be read"),
        (b"A" * 70, None, 1, "no proof or code that can be read"),
        (PDF, b"\xff", 1, "no proof or code that can be read"),
        (PDF, None, 2, "there is no proof"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(
    tmp_path, capsys, content, with_proof, expected, words
):
    trust, file = tmp_path / "trust.json", tmp_path / "a.pdf"
    trust.write_bytes(TRUST.canonical())
    file.write_bytes(content)
    if with_proof is not None:
        file.with_suffix(".tlog-proof").write_bytes(with_proof)
    code, said = run(capsys, trust, file)
    assert (code, words in said) == (expected, True), said
    assert "codec" not in said
    assert "unpack" not in said
