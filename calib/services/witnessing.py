"""Cosigning: what this installation does as a witness of other logs, and asks of its own witnesses.

A witness says that a log only grew since it last looked. It keeps the last head it cosigned and
never goes back, whoever asks at the same moment.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from calib.ledger.checkpoints import read_checkpoint, read_whole
from calib.ledger.merkle import consistency_proof
from calib.ledger.notes import (
    Note,
    NoteKey,
    Signature,
    cosigned,
    cosigned_message,
    cosigners,
    read_note,
)
from calib.ledger.policies import Policy
from calib.ledger.witnessing import SIZE, Answer, answer, read_request, request_of
from calib.services.log import InclusionHead, Log, stored_nodes
from calib.services.ports import Anchor
from instruments.errors import Conflict, DomainError, Finding

Post = Callable[[str, bytes], tuple[int, bytes]]
"""Sends a body to an address; returns status and body. Raises Unavailable when nobody answers."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What this installation is as a witness of others."""

    note_key: NoteKey
    sign: Callable[[bytes], bytes]
    trusted: Mapping[str, Sequence[NoteKey]]
    """Keys of the logs it watches, by origin."""
    kept: Callable[[str], Anchor]
    """Where the last head of a log is kept, by origin."""
    clock: Callable[[], datetime]

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer ``add-checkpoint``: cosign a head that continues the last, refuse any other."""
        asked = read_request(body)
        if asked is None:
            return answer(None, (), None)
        keys = self.trusted.get(asked.checkpoint.origin, ())
        if not keys:
            return answer(asked, (), None)
        kept = self.kept(asked.checkpoint.origin)
        before = kept.load()
        latest = read_checkpoint(read_note(before)) if before is not None else None
        said = answer(asked, keys, latest)
        if said.cosign is None:
            return said
        try:
            kept.replace(before, str(asked.note).encode())
        except Conflict:  # another request was quicker: its head is the last one now
            now = read_checkpoint(read_note(kept.load() or b""))
            return Answer(409, f"{now.size}\n", SIZE)
        seconds = int(self.clock().timestamp())
        signature = self.sign(cosigned_message(asked.note.text, seconds))
        return Answer(200, f"{cosigned(self.note_key, seconds, signature)}\n")


def ask_witnesses(
    log: Log, head: InclusionHead, policy: Policy, post: Post
) -> tuple[tuple[Signature, ...], tuple[Finding, ...]]:
    """Ask every witness of the policy that has an address; return cosignatures and what failed."""
    lines: list[Signature] = []
    failed: list[Finding] = []
    for name, note_key in policy.witnesses.items():
        if name not in policy.urls:
            continue
        try:
            lines += _ask(log, head, note_key, policy.urls[name].rstrip("/"), post)
        except DomainError as problem:
            failed.append(
                Finding(
                    "witness-silent",
                    "The witness {name} did not cosign: {reason}. It is asked again with the next "
                    "head.",
                    "warning",
                    facts={"name": name, "reason": str(problem)},
                )
            )
    return tuple(lines), tuple(failed)


def _ask(
    log: Log, head: InclusionHead, note_key: NoteKey, address: str, post: Post
) -> list[Signature]:
    """Ask for one cosignature; a witness that knows another size says so once."""
    old = 0
    for _ in range(2):
        status, body = post(f"{address}/add-checkpoint", _request(log, head, old))
        if status == 200:
            whole = str(Note(head.note.text, head.note.signatures)).encode() + body
            note = read_note(whole)
            if not cosigners(note, [note_key]):
                raise _refused("it signed with another key")
            return [one for one in note.signatures if one.key_id == note_key.key_id]
        if status != 409:
            raise _refused(f"it answered {status}")
        try:
            old = read_whole(body.decode("ascii").removesuffix("\n"))
        except ValueError:
            raise _refused("it named no size") from None
        if old > head.checkpoint.size:
            raise _refused(f"it has seen {old} lines, more than there are")
    raise _refused("it holds another head of the same size")


def _request(log: Log, head: InclusionHead, old: int) -> bytes:
    size = head.checkpoint.size
    proof = consistency_proof(old, size, stored_nodes(log.files, size))
    return request_of(old, [base64.b64encode(step).decode() for step in proof], head.note)


def _refused(reason: str) -> Conflict:
    return Conflict(
        "witness-refused",
        "The witness refuses the log: {reason}. Compare both before anything else is published.",
        facts={"reason": reason},
    )
