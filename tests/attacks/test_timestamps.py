"""Stamps of a timestamp authority: believed when the authority is pinned, and never otherwise."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calib.certificates.pdf_seal import TimeAuthority, seal_pdf
from calib.certificates.seal_chain import pem_of
from calib.ledger.trust import read_trust
from calib.verifier.examine import examine
from calib.verifier.report import Report
from tests.support import forge
from tests.support.forge import FIRST, TRUST
from tests.support.stamps import an_authority

SEALED = datetime(2026, 3, 3, 2, 15, tzinfo=UTC)
SOON = SEALED + timedelta(seconds=20)
LEVELS = ("B-T", "B-LT", "B-LTA")


@functools.cache
def stamped(pages: bytes, level: str = "B-T", at: datetime = SOON, **more):
    """Return the pages sealed and stamped, and the root of the authority (PEM)."""
    with an_authority(at, **more) as (url, root):
        time = TimeAuthority(url, (root,), level)
        seal = FIRST.seal
        return seal_pdf(pages, seal.chain, SEALED, seal.sign, time), pem_of([root])


def seen(world, content: bytes, roots: tuple[str, ...], **key: str) -> Report:
    """Examine without the log, so that the stamp alone shows when the seal was there."""
    pinned = forge.trusted_key(FIRST.seal.chain[0], "RD", **key)
    trust = replace(TRUST, seals=(pinned, *TRUST.seals[1:]), time_roots=roots)
    return examine(content, world.evidence(trust=trust))


def states(report: Report) -> tuple[str, str]:
    """Return what was found of the seal and of its stamp."""
    stamp, seal = report.step("timestamp"), report.step("seal")
    return seal.state, stamp.state if stamp else ""


def test_the_time_of_the_forged_seals_is_that_of_the_certificate(world):
    assert world.first.document.issued_at == SEALED.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("level", LEVELS)
def test_a_stamp_is_held_to_the_authority_that_is_pinned(world, level):
    content, root = stamped(world.first.pages, level)
    report = seen(world, content, (root,))
    assert states(report) == ("established", "established")
    assert report.step("timestamp").facts["at"] == SOON.isoformat()
    assert "Stamps" in report.step("timestamp").text()
    assert report.verdict == "valid"
    for others in ((), (stamped(world.second.pages, level)[1],), TRUST.roots):
        report = seen(world, content, others)
        assert states(report) == ("established", "not_established")
        assert report.verdict == "valid", "a stamp of nobody one knows is no fault"


def test_without_a_stamp_nothing_is_said_of_one(world):
    _, root = stamped(world.first.pages)
    assert states(seen(world, world.first.pdf, (root,))) == ("established", "")


def test_a_stamp_shows_that_a_seal_was_there_before_its_key_was_given_up(world):
    content, root = stamped(world.first.pages)
    lost = {"compromised_at": "2026-03-05T00:00:00Z"}
    assert states(seen(world, content, (root,), **lost))[0] == "established"
    assert states(seen(world, content, (), **lost))[0] == "not_established"
    assert seen(world, content, (), **lost).verdict == "cannot_tell"
    over = {"valid_to": "2026-03-08T00:00:00Z"}
    assert states(seen(world, content, (root,), **over))[0] == "established"
    assert states(seen(world, content, (), **over))[0] == "not_established"


def test_a_seal_dated_back_is_told_by_its_stamp(world):
    """Whoever has the key can date a seal back, but no pinned authority dates its stamp back."""
    lost = {"compromised_at": "2026-03-05T00:00:00Z"}
    content, root = stamped(world.first.pages, at=SEALED + timedelta(days=4))
    assert states(seen(world, content, (root,), **lost))[0] == "contradicted"
    early, other = stamped(world.first.pages, at=SEALED - timedelta(days=1))
    assert states(seen(world, early, (other,)))[0] == "contradicted"


def test_a_stamp_outlives_the_certificate_of_its_authority(world):
    """It is judged as of its own time: the bundle says whom to believe, not the clock here."""
    content, root = stamped(world.first.pages, ends=SOON + timedelta(days=1))
    assert states(seen(world, content, (root,))) == ("established", "established")
    content, root = stamped(world.second.pages, ends=SOON - timedelta(days=1))
    assert states(seen(world, content, (root,)))[1] == "not_established"


def test_a_stamp_of_something_else_is_told(world):
    content, root = stamped(world.first.pages, of=bytes(32))
    assert states(seen(world, content, (root,)))[0] == "contradicted"
    assert "time stamp is of something else" in seen(world, content, ()).step("seal").text()


def test_a_bundle_without_authorities_is_as_it_was():
    assert b"time_roots" not in TRUST.canonical()
    named = replace(TRUST, time_roots=("a root",))
    assert read_trust(json.loads(named.canonical())) == named
    assert named.fingerprint() != TRUST.fingerprint()
