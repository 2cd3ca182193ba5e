"""The rule of the signer, with keys in files and in a token: what it signs, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from calib.certificates.dcc_writing import write_dcc
from calib.certificates.document import CertificateDocument
from calib.certificates.pdf_seal_reading import verified_pdf
from calib.certificates.xml_seal import open_xml, seal_xml
from calib.ledger.checkpoints import Checkpoint
from calib.ledger.marks import Mark
from calib.ledger.notes import Note, read_note_key, signed, signers
from calib.ledger.statuses import StatusList, entry_of
from calib.records.certificates import Certificate
from calib.services import issue, keys, signing_rule
from calib.services.ports import SigningRequest
from instruments.errors import NotFound, Refused, Unavailable
from instruments.tenancy import installation_session
from tests.support.builders import NOW
from tests.support.keyed import HOUSE, lines_of, manager, refused

ORIGIN = HOUSE.origin
ROOT = bytes(range(32))


class Stop(Exception):
    """Carries away what was to be signed."""


@pytest.fixture
def signer(keyed, journal):
    return keyed.signer(journal)


def document_of(keyed, held=None) -> CertificateDocument:
    number = (held or keyed.held).number
    with installation_session(keyed.bench.engine, read_only=True) as session:
        row = session.query(Certificate).filter_by(number=number).one()
        return CertificateDocument.from_dict(json.loads(row.payload))


def to_sign(keyed, document=None) -> bytes:
    """Return what a seal signs over the XML of a document."""
    found: list[bytes] = []
    document = document or document_of(keyed)

    def sign(content: bytes) -> bytes:
        found.append(content)
        raise Stop

    chain = keyed.key("seal").certificates()
    with pytest.raises(Stop):
        seal_xml(write_dcc(document, document.digest()), chain, NOW, sign)
    return found[0]


def a_request(keyed, **more) -> SigningRequest:
    given = {
        "key_id": keyed.key("seal").id,
        "form": "xml",
        "content": more["content"] if "content" in more else to_sign(keyed),
        "token": keyed.held.token,
    }
    return SigningRequest(**(given | more))


def a_mark(keyed, **more) -> bytes:
    document = document_of(keyed)
    given = {
        "origin": ORIGIN,
        "number": document.number,
        "kind": document.kind,
        "issued_on": document.issued_on,
        "until": "-",
        "verdict": document.result.verdict,
        "item": "S-1",
        "place": 3,
        "payload": bytes.fromhex(document.digest())[:16],
        "entry": entry_of(document.token),
    }
    return Mark(**(given | more)).text().encode()


def a_head(size=7, root=ROOT, origin=ORIGIN) -> bytes:
    return Checkpoint(origin, size, root).text().encode()


def a_list(minutes=0, origin=ORIGIN) -> bytes:
    made = NOW + timedelta(minutes=minutes)
    return StatusList(origin, made, made + timedelta(days=1), 7, {}).text().encode()


# -------------------------------------------------------------------------------- what is signed


def test_01_the_seal_of_a_reserved_certificate_is_signed(keyed, signer):
    request = a_request(keyed)
    own = keyed.key("seal").certificates()[0]
    own.public_key().verify(signer.sign(request), request.content, ec.ECDSA(hashes.SHA256()))


def test_02_a_whole_certificate_is_sealed_twice_and_issued(keyed, journal, store):
    sealer = keyed.sealer(journal)
    view = issue.finish(
        keyed.bench.engine, store, sealer, keyed.bench.lab_id, keyed.held.certificate_id,
        lambda: NOW,
    )  # fmt: skip
    root = [keyed.key("root").certificates()[0]]
    assert verified_pdf(store.get(view.files["pdf"]), root).signed_at == NOW
    assert open_xml(store.get(view.files["dcc"]), root).signed_at == NOW
    assert [line["form"] for line in lines_of(journal)] == ["xml", "mark", "pdf"]


def test_03_the_mark_of_a_reserved_certificate_is_signed(keyed, signer):
    key = keyed.key("mark")
    content = a_mark(keyed)
    signature = signer.sign(a_request(keyed, key_id=key.id, form="mark", content=content))
    note_key = read_note_key(key.public_key)
    assert signers(Note(content.decode(), (signed(note_key, signature),)), [note_key])


def test_04_a_head_of_the_log_is_signed(keyed, signer):
    key = keyed.key("log")
    request = SigningRequest(key.id, "log", a_head())
    note_key = read_note_key(key.public_key)
    note = Note(a_head().decode(), (signed(note_key, signer.sign(request)),))
    assert signers(note, [note_key]) == (note_key,)


def test_05_a_status_list_is_signed(keyed, signer):
    key = keyed.key("status")
    assert len(signer.sign(SigningRequest(key.id, "status", a_list()))) == 64


def test_06_a_preview_is_signed_by_a_key_nobody_pins(keyed, signer):
    key = keyed.key("preview")
    assert signer.sign(SigningRequest(key.id, "preview", b"anything"))


def test_07_the_same_question_gets_the_same_answer_and_one_line(keyed, signer, journal):
    request = a_request(keyed)
    assert signer.sign(request) == signer.sign(request)
    assert len(lines_of(journal)) == 1


def test_08_another_process_gets_the_same_answer(keyed, signer, journal):
    request = a_request(keyed)
    assert keyed.signer(journal).sign(request) == signer.sign(request)


# ---------------------------------------------------------------------------- what is not signed


def test_09_nothing_that_is_not_reserved(keyed, signer):
    refused(signer, a_request(keyed, token="x" * 22), "signing-not-reserved")
    refused(signer, a_request(keyed, token=""), "signing-not-reserved")


def test_10_nothing_that_was_issued_already(keyed, signer, tmp_path, store):
    request = a_request(keyed)
    issue.finish(
        keyed.bench.engine, store, keyed.sealer(tmp_path / "other"), keyed.bench.lab_id,
        keyed.held.certificate_id, lambda: NOW,
    )  # fmt: skip
    refused(signer, request, "signing-not-reserved")


def test_11_nothing_that_was_voided(keyed, signer):
    with keyed.bench.as_(keyed.bench.signatory) as ctx:
        issue.void(ctx, keyed.held.certificate_id, "typing error", keyed.bench.reviewer.id)
    refused(signer, a_request(keyed), "signing-not-reserved")


def test_12_nothing_with_a_changed_payload(keyed, signer):
    request = a_request(keyed)
    _tamper(keyed, "certificates", "payload = replace(payload, 'RD', 'XX') || ' '")
    refused(signer, request, "signing-payload-changed")


def test_13_nothing_with_a_payload_and_digest_changed_together(keyed, signer):
    request = a_request(keyed)
    forged = replace(document_of(keyed), remarks=("forged",))
    _tamper(
        keyed, "certificates", "payload = :payload, payload_digest = :digest",
        payload=forged.canonical().decode(), digest=forged.digest(),
    )  # fmt: skip
    refused(signer, request, "signing-other-content")


@pytest.mark.parametrize("act", ["submitted", "reviewed", "authorised"])
def test_14_nothing_without_each_of_the_approvals(keyed, signer, act):
    _tamper(keyed, "review_marks", "act = 'returned', content_digest = ''", f"act = '{act}'")
    refused(signer, a_request(keyed), "signing-approval-missing")


def test_15_nothing_whose_approval_is_of_something_else(keyed, signer):
    _tamper(keyed, "review_marks", "content_digest = 'f00'", "act = 'reviewed'")
    refused(signer, a_request(keyed), "signing-approval-missing")


@pytest.mark.parametrize("act", ["reviewed", "authorised"])
def test_16_nothing_approved_by_who_measured(keyed, signer, act):
    technician = keyed.bench.technician.id
    _tamper(keyed, "review_marks", f"person_id = {technician}", f"act = '{act}'")
    refused(signer, a_request(keyed), "signing-approval-missing")


def test_17_nothing_whose_result_was_changed_after_approval(keyed, signer):
    _tamper(keyed, "evaluations", "result_json = result_json || ' '")
    refused(signer, a_request(keyed), "signing-approval-missing")


def test_18_no_other_document_than_the_frozen_one(keyed, signer):
    forged = replace(document_of(keyed), remarks=("U = 0.001",))
    request = a_request(keyed, content=to_sign(keyed, forged))
    refused(signer, request, "signing-other-content")


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"<x/>", b"calib-mark/1\n", b"1\x00"])
@pytest.mark.parametrize("form", ["xml", "pdf"])
def test_19_nothing_that_is_no_seal(keyed, signer, form, content):
    refused(signer, a_request(keyed, form=form, content=content), "signing-other-content")


@pytest.mark.parametrize(
    "change",
    [{"number": "HZ-1"}, {"verdict": "fail"}, {"payload": b"\0" * 16}, {"issued_on": "2027-01-01"}],
)
def test_20_no_mark_that_says_something_else(keyed, signer, change):
    key = keyed.key("mark")
    request = a_request(keyed, key_id=key.id, form="mark", content=a_mark(keyed, **change))
    refused(signer, request, "signing-other-content")


@pytest.mark.parametrize("purpose", ["root", "log", "status", "mark", "preview"])
def test_21_no_seal_by_a_key_for_something_else(keyed, signer, purpose):
    refused(signer, a_request(keyed, key_id=keyed.key(purpose).id), "signing-key-wrong")


@pytest.mark.parametrize("form", ["log", "status", "mark", "preview", "root", ""])
def test_22_nothing_else_by_the_key_of_the_seal(keyed, signer, form):
    refused(signer, a_request(keyed, form=form, content=a_head()), "signing-key-wrong")


def test_23_nothing_by_a_key_that_ended(keyed, signer):
    request = a_request(keyed)
    with keyed.bench.as_(manager(keyed.bench)) as ctx:
        keys.retire_key(ctx, request.key_id, "drill", keyed.bench.reviewer.id)
    refused(signer, request, "signing-key-ended")


def test_24_nothing_by_a_key_that_was_given_up_or_has_expired(keyed, journal):
    request = a_request(keyed)
    late = keyed.signer(journal, clock=lambda: NOW + timedelta(days=4000))
    refused(late, request, "signing-key-ended")
    with keyed.bench.as_(manager(keyed.bench)) as ctx:
        keys.compromise_key(ctx, request.key_id, NOW, "stolen", keyed.bench.reviewer.id)
    refused(keyed.signer(journal), request, "signing-key-ended")


def test_25_nothing_by_a_key_that_is_not_there(keyed, signer):
    with pytest.raises(NotFound):
        signer.sign(a_request(keyed, key_id=4711))


def test_26_no_more_forms_of_a_certificate_than_a_crash_explains(keyed, signer, monkeypatch):
    key, seen = keyed.key("mark"), set()
    for place in range(signing_rule.MOST):
        content = a_mark(keyed, place=place)
        seen.add(signer.sign(a_request(keyed, key_id=key.id, form="mark", content=content)))
    last = a_request(keyed, key_id=key.id, form="mark", content=a_mark(keyed, place=99))
    refused(signer, last, "signing-limit")
    assert len(seen) == signing_rule.MOST


@pytest.mark.parametrize(
    "head", [a_head(6), a_head(7, ROOT[::-1]), a_head(0, ROOT), a_head(8, origin="other/log")]
)
def test_27_no_head_of_the_log_that_goes_back(keyed, signer, head):
    key = keyed.key("log").id
    signer.sign(SigningRequest(key, "log", a_head(7)))
    with pytest.raises(Refused):
        signer.sign(SigningRequest(key, "log", head))
    assert signer.sign(SigningRequest(key, "log", a_head(8)))


@pytest.mark.parametrize("text", [b"", b"x", a_head() + b"more\n", a_list(), b"\xff"])
def test_28_nothing_that_is_no_head_by_the_key_of_the_log(keyed, signer, text):
    refused(signer, SigningRequest(keyed.key("log").id, "log", text), "signing-other-content")


def test_29_no_status_list_that_goes_back(keyed, signer):
    key = keyed.key("status").id
    signer.sign(SigningRequest(key, "status", a_list(5)))
    refused(signer, SigningRequest(key, "status", a_list(4)), "signing-status-old")
    refused(signer, SigningRequest(key, "status", a_list(9, "x/log")), "signing-other-content")
    refused(signer, SigningRequest(key, "status", a_head()), "signing-other-content")
    assert signer.sign(SigningRequest(key, "status", a_list(6)))


def test_30_no_more_than_the_rate_allows(keyed, journal, monkeypatch):
    monkeypatch.setattr(signing_rule, "RATE", 3)
    ticks = iter([0.0, 1.0, 2.0, 3.0, 70.0])
    signer = keyed.signer(journal, ticks=lambda: next(ticks))
    request = SigningRequest(keyed.key("preview").id, "preview", b"x")
    for _ in range(3):
        signer.sign(request)
    with pytest.raises(Unavailable) as stop:
        signer.sign(request)
    assert stop.value.code == "signer-busy"
    assert signer.sign(request)


def _tamper(keyed, table: str, change: str, where: str = "1 = 1", **facts) -> None:
    """Change rows behind the back of the program, as an administrator could."""
    with keyed.bench.engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER keep_{table}_update"))
        written = f"UPDATE {table} SET {change} WHERE {where}"  # noqa: S608 -- the test's own words
        connection.execute(text(written), facts)
