"""The same request sent twice has one effect: its key and its answer are kept with the effect.

Keys belong to a person and an act, and are kept for ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from calib.records.work import IdempotencyKey
from instruments.canonical import canonical_json
from instruments.context import Context
from instruments.errors import Conflict, Invalid
from instruments.tenancy import hold_lab

_KEY = re.compile(r"[!-~]{1,200}")


def once(
    ctx: Context, act: str, key: str, fingerprint: str, do: Callable[[], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Return what `do` gives, doing it only the first time the key is used.

    `fingerprint` is the digest of the request: the same key with another request is refused.

    Raises
    ------
    Invalid
        The key is missing or malformed.
    Conflict
        The key was used for another request.
    """
    if _KEY.fullmatch(key) is None:
        raise Invalid(
            "idempotency-key-malformed",
            "The idempotency key {key} cannot be used: send 1 to 200 printable ASCII characters, "
            "a new one for each new request.",
            at="/idempotency_key",
            facts={"key": repr(key[:40])},
        )
    hold_lab(ctx.session, ctx.lab_id)  # two senders of one key take turns: the second is answered
    kept = ctx.session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.person_id == ctx.actor.person_id,
            IdempotencyKey.act == act,
            IdempotencyKey.key == key,
        )
    )
    if kept is not None:
        if kept.fingerprint != fingerprint:
            raise Conflict(
                "idempotency-key-reused",
                "The idempotency key {key} was used at {when} for another request. "
                "Send a new key for a new request.",
                at="/idempotency_key",
                facts={"key": key, "when": kept.made_at.isoformat(timespec="seconds")},
            )
        return dict(kept.answer)
    # as it will be read again: the first answer and a repeated one are the same bytes
    answer: dict[str, Any] = json.loads(canonical_json(dict(do())))
    ctx.session.add(
        IdempotencyKey(
            person_id=ctx.actor.person_id,
            act=act,
            key=key,
            fingerprint=fingerprint,
            answer=answer,
            made_at=ctx.now,
        )
    )
    ctx.session.flush()
    return answer
