"""Keys are made, certified, followed and given up, each time by two persons; verifiers pin them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from calib.adapters.signing_files import FileVault
from calib.certificates.seal_chain import fingerprint, pem_of, read_chain
from calib.ledger.trust import read_trust
from calib.records.certificates import LedgerLeaf
from calib.records.keys import SigningKeyEvent
from calib.services import issue, key_views, keys
from instruments.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from instruments.records.audit import AuditEvent
from instruments.tenancy import installation_session
from tests.support import issuing
from tests.support import keyed as labs
from tests.support.builders import NOW
from tests.support.keyed import HOUSE, PASSPHRASE, manager
from tests.support.ruling import ruling
from tests.support.seals import a_seal


@pytest.fixture
def bench(bench_on_sqlite):
    return bench_on_sqlite


@pytest.fixture
def vault(tmp_path, cheap_scrypt):
    return FileVault(tmp_path / "keys", lambda: PASSPHRASE)


def make(bench, vault, purpose, *, by=None, second=None):
    with bench.as_(by or manager(bench)) as ctx:
        return keys.make_key(ctx, vault, HOUSE, purpose, second or bench.reviewer.id)


def act(bench, function, *given):
    with bench.as_(manager(bench)) as ctx:
        return function(ctx, *given, bench.reviewer.id)


def all_keys(bench):
    with installation_session(bench.engine, read_only=True) as session:
        return key_views.list_keys(session)


def bundle_of(bench, now=NOW):
    with installation_session(bench.engine, read_only=True) as session:
        return key_views.trust_bundle(session, host=HOUSE.host, origin=HOUSE.origin, now=now)


def test_everything_that_is_missing_is_made_once(bench_on_each, vault):
    bench = bench_on_each
    with bench.as_(manager(bench)) as ctx:
        made = keys.make_missing(ctx, vault, HOUSE, bench.reviewer.id)
        assert keys.make_missing(ctx, vault, HOUSE, bench.reviewer.id) == ()
    assert [key.purpose for key in made] == list(keys.NEEDED)
    assert {key.state(NOW) for key in made} == {"usable"}
    seal = made[3]
    own, root = seal.certificates()
    own.verify_directly_issued_by(root)
    (code,) = own.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    assert code.value == seal.lab == "HZ"
    assert made[1].public_key.startswith("calib.example.org/log+")
    assert made[4].name == "calib.example.org/labs/HZ/mark"


@pytest.mark.parametrize("purpose", ["root", "log", "status", "mark", "seal"])
def test_a_second_key_is_a_rotation(bench, vault, purpose):
    make(bench, vault, "root")
    if purpose != "root":
        make(bench, vault, purpose)
    with pytest.raises(Conflict) as stop:
        make(bench, vault, purpose)
    assert stop.value.code == "key-there-already"


def test_a_key_needs_a_manager_and_another_person(bench, vault):
    with pytest.raises(NotAllowed):
        make(bench, vault, "root", by=bench.technician)
    for second in (manager(bench).id, bench.technician.id, 4711):
        with pytest.raises(Refused):
            make(bench, vault, "root", second=second)
    assert all_keys(bench) == ()


def test_every_act_leaves_an_event_a_line_and_a_row(bench, vault):
    key = make(bench, vault, "log")
    act(bench, keys.retire_key, key.id, "end of the drill")
    with installation_session(bench.engine, read_only=True) as session:
        events = session.scalars(select(SigningKeyEvent.event)).all()
        leaves = session.scalars(select(LedgerLeaf.leaf)).all()
        rows = session.scalars(select(AuditEvent).where(AuditEvent.act.like("keys:%"))).all()
        acts = [(row.act, row.facts["second_person_id"]) for row in rows]
    assert events == ["made", "retired"]
    assert [json.loads(leaf)["type"] for leaf in leaves] == ["key", "key"]
    second = bench.reviewer.id
    assert acts == [("keys:key:made", second), ("keys:key:retired", second)]


def test_no_row_of_a_key_can_be_changed_and_none_holds_a_private_key(bench, vault):
    make(bench, vault, "root")
    for statement in ("UPDATE signing_keys SET name = 'x'", "DELETE FROM signing_key_events"):
        with pytest.raises(DatabaseError), ruling(bench.engine) as connection:
            connection.execute(text(statement))
    with bench.engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM signing_keys")).all())
    assert "PRIVATE" not in rows


def test_a_rotated_seal_seals_what_comes_and_the_old_one_what_was_begun(keyed_files, tmp_path):
    bench, store = keyed_files.bench, tmp_path / "files"
    old = keyed_files.key("seal")
    new = act(bench, lambda ctx, second: keys.rotate_key(
        ctx, keyed_files.vault(), HOUSE, old.id, second
    ))  # fmt: skip
    assert keyed_files.key("seal").id == new.id
    from calib.adapters.files import DirectoryStore

    view = issue.finish(
        bench.engine, DirectoryStore(store), keyed_files.sealer(tmp_path / "journal"),
        bench.lab_id, keyed_files.held.certificate_id, lambda: NOW,
    )  # fmt: skip
    assert view.number == keyed_files.held.number
    with pytest.raises(Conflict):
        act(bench, lambda ctx, second: keys.rotate_key(
            ctx, keyed_files.vault(), HOUSE, old.id, second
        ))  # fmt: skip
    assert new.name == "HZ seal 2"


def test_the_key_of_the_log_is_its_name_for_life(bench, vault):
    key = make(bench, vault, "log")
    with pytest.raises(Conflict) as stop, bench.as_(manager(bench)) as ctx:
        keys.rotate_key(ctx, vault, HOUSE, key.id, bench.reviewer.id)
    assert stop.value.code == "key-not-rotatable"


def test_a_key_is_not_given_up_from_tomorrow_on_and_not_without_a_reason(bench, vault):
    key = make(bench, vault, "mark")
    for since, reason in ((NOW + timedelta(seconds=1), "stolen"), (NOW, " ")):
        with pytest.raises(Invalid):
            act(bench, keys.compromise_key, key.id, since, reason)
    given_up = act(bench, keys.compromise_key, key.id, NOW - timedelta(days=3), "stolen")
    assert given_up.state(NOW) == "compromised"
    earlier = act(bench, keys.compromise_key, key.id, NOW - timedelta(days=9), "earlier still")
    assert earlier.compromised_at == NOW - timedelta(days=9)
    with pytest.raises(Conflict):
        act(bench, keys.retire_key, key.id, "too late")


def test_a_key_that_is_not_there_is_not_found(bench):
    with pytest.raises(NotFound):
        act(bench, keys.retire_key, 4711, "drill")


def test_a_seal_without_a_root_waits_for_its_certificate(bench, vault):
    key = make(bench, vault, "seal")
    assert key.state(NOW) == "uncertified"
    with bench.as_(manager(bench)) as ctx:
        assert key_views.seal_words(ctx) is None
        request = x509.load_pem_x509_csr(keys.request_certificate(ctx, vault, key.id))
    assert request.is_signature_valid
    elsewhere = a_seal()
    from calib.certificates.seal_chain import make_seal_certificate

    with pytest.raises(Refused) as stop:
        act(bench, keys.import_certificate, key.id, pem_of(elsewhere.chain))
    assert stop.value.code == "certificate-of-other-key"
    root_key, root = _an_authority()
    own = make_seal_certificate(
        "HZ seal 1", "Lab", "HZ", request.public_key(), root, NOW - timedelta(days=1),
        NOW + timedelta(days=99), root_key,
    )  # fmt: skip
    done = act(bench, keys.import_certificate, key.id, pem_of([own, root]))
    assert (done.state(NOW), done.fingerprint) == ("usable", fingerprint(own))
    make(bench, vault, "log")
    assert [read_chain(one)[0] for one in bundle_of(bench).roots] == [own], "not the authority"


def _an_authority():
    from cryptography.hazmat.primitives.asymmetric import ec

    from calib.certificates.seal_chain import make_root
    from tests.support.seals import signing

    key = ec.generate_private_key(ec.SECP256R1())
    starts, ends = NOW - timedelta(days=9), NOW + timedelta(days=999)
    return signing(key), make_root("Authority", key.public_key(), starts, ends, signing(key))


def test_what_verifiers_pin_holds_every_key_but_those_for_previews(bench, vault):
    labs.with_keys(bench, vault)
    bundle = bundle_of(bench)
    assert read_trust(json.loads(bundle.canonical())) == bundle
    by = {key.purpose: key for key in all_keys(bench)}
    assert [one.key for one in bundle.seals] == [by["seal"].fingerprint]
    assert [one.key for one in bundle.marks] == [by["mark"].public_key]
    assert [one.key for one in bundle.statuses] == [by["status"].public_key]
    assert [read_chain(one)[0] for one in bundle.roots] == list(by["root"].certificates())
    assert by["log"].public_key in bundle.policy
    preview = by["preview"]
    assert preview.fingerprint not in bundle.canonical().decode()


def test_a_compromise_reaches_what_verifiers_pin(bench, vault):
    labs.with_keys(bench, vault)
    seal = next(key for key in all_keys(bench) if key.purpose == "seal")
    act(bench, keys.compromise_key, seal.id, NOW - timedelta(days=1), "stolen")
    (pinned,) = bundle_of(bench).seals
    assert pinned.held_at(NOW - timedelta(days=2)) is False, "it was not valid yet"
    assert pinned.held_at(NOW) is False
    assert pinned.compromised_at == "2026-03-01T08:30:00Z"


def test_nothing_is_pinned_before_there_are_keys(bench):
    with pytest.raises(NotFound) as stop:
        bundle_of(bench)
    assert stop.value.code == "trust-not-there"


def test_a_certificate_without_keys_says_that_it_is_unsigned(bench):
    held = labs.reserved(bench)
    with installation_session(bench.engine, read_only=True) as session:
        payload = session.execute(
            text("SELECT payload FROM certificates WHERE id = :id"), {"id": held.certificate_id}
        ).scalar_one()
    assert json.loads(payload)["document"]["seal"] == "unsigned"
    assert issuing.BASE in payload
