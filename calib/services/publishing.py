"""Keep what is public up to date: the log, its witnesses, the status list.

Nothing here is part of issuing: a certificate is issued when its ledger line is committed, and
published seconds later. What fails is said and tried again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from calib.ledger.checkpoints import Checkpoint
from calib.ledger.notes import NoteKey, Signature, cosigners, read_note_key, signed
from calib.ledger.policies import Policy, read_policy
from calib.services.key_views import KeyView, usable_key
from calib.services.log import Log, add_cosignatures, grow, published
from calib.services.ports import Anchor, Form, LogStore, Signer, SigningRequest
from calib.services.statuses import renew_status
from calib.services.witnessing import Post, ask_witnesses
from instruments.errors import Finding
from instruments.tenancy import installation_session

log = logging.getLogger("calib.log")
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Where the public files are kept, and who signs them."""

    engine: Engine
    signer: Signer
    log_files: LogStore
    status_files: LogStore
    anchor: Anchor
    post: Post
    policy: str = ""
    """tlog-policy with the witnesses; empty: none."""

    def log(self, now: datetime) -> Log | None:
        """Return the log; None while the installation has no key for it."""
        key = self._key("log", now)
        if key is None:
            return None
        note_key = read_note_key(key.public_key)
        sign = self._signs(key, note_key, "log")
        return Log(self.engine, self.log_files, self.anchor, note_key, sign)

    def read_policy(self) -> Policy | None:
        """Return the policy of witnesses, None without one.

        Raises Invalid.
        """
        return read_policy(self.policy) if self.policy else None

    def status_signer(self, now: datetime) -> Callable[[str], Signature] | None:
        """Return what signs status lists; None while there is no key for it."""
        key = self._key("status", now)
        return self._signs(key, read_note_key(key.public_key), "status") if key else None

    def _key(self, purpose: Form, now: datetime) -> KeyView | None:
        with installation_session(self.engine, read_only=True) as session:
            return usable_key(session, "log" if purpose == "log" else "status", now)

    def _signs(self, key: KeyView, note_key: NoteKey, form: Form) -> Callable[[str], Signature]:
        def sign(text: str) -> Signature:
            request = SigningRequest(key.id, form, text.encode())
            return signed(note_key, self.signer.sign(request))

        return sign


@dataclass(frozen=True, slots=True)
class Published:
    """What stands published."""

    head: Checkpoint | None
    """None: the installation keeps no log yet."""
    findings: tuple[Finding, ...] = ()
    """Witnesses that did not cosign."""


def publish(publisher: Publisher, clock: Clock) -> Published:
    """Grow the log, ask witnesses that have not cosigned its head, renew the status list.

    Raises
    ------
    Conflict
        The log would fork; nothing is signed.
    Unavailable
        Keys or disks cannot be reached.
    """
    now = clock()
    kept = publisher.log(now)
    if kept is None:
        return Published(None)
    head = grow(kept, clock)
    sign = publisher.status_signer(now)
    if sign is not None and head.size:
        renew_status(publisher.engine, publisher.status_files, kept.origin, sign, clock)
    return Published(head, _witnessed(publisher, kept, clock))


def _witnessed(publisher: Publisher, kept: Log, clock: Clock) -> tuple[Finding, ...]:
    policy, served = publisher.read_policy(), published(kept)
    if policy is None or served is None or not policy.urls:
        return ()
    there = {one.note_key for one in cosigners(served.note, policy.witnesses.values())}
    missing = {name: key for name, key in policy.witnesses.items() if key not in there}
    asked = Policy(policy.logs, missing, policy.groups, policy.quorum, policy.urls)
    lines, failed = ask_witnesses(kept, served, asked, publisher.post)
    if lines:
        add_cosignatures(kept, served, lines, clock())
    return failed
