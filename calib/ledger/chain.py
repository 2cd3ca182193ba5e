"""Lines of the ledger and the chain through them; sees bytes only, no rows and no sessions.

A line commits to what happened without telling it: the commitment is salted, and the salt travels
with the certificate. In clear stand only what kind of event it was and the laboratory in whose name
it happened, so that a laboratory can find what it did not do. The lines are the entries of the log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from instruments.canonical import canonical_json
from instruments.errors import Refused

BEGINNING = "0" * 64
"""Head before the first line."""
_CONTEXT = b"cal-leaf/v1\0"


def leaf_of(event: str, salt: str, subject: Mapping[str, Any]) -> str:
    """Return the line that says `event` of the subject; anybody with the salt can make it again.

    The line bears the code of the subject's lab; empty: it is of the installation itself.
    """
    commit = hashlib.sha256(_CONTEXT + bytes.fromhex(salt) + canonical_json(subject)).hexdigest()
    lab = str(subject.get("lab", ""))
    return canonical_json({"commit": commit, "lab": lab, "type": event, "v": 1}).decode()


def is_leaf(leaf: str) -> bool:
    """Answer whether the text is a line in its canonical form."""
    try:
        plain = json.loads(leaf)
        return canonical_json(plain).decode() == leaf and set(plain) == {
            "commit",
            "lab",
            "type",
            "v",
        }
    except (ValueError, TypeError):
        return False


def chained(before: str, leaf: str) -> str:
    """Return the head after `leaf`, given the head before it."""
    return hashlib.sha256(bytes.fromhex(before) + leaf.encode()).hexdigest()


def said_by(extra: bytes) -> tuple[str, Mapping[str, Any]]:
    """Return salt and subject as they travel with a proof.

    Nobody signed them: only the hash of the line that is made of them gives them worth.

    Raises
    ------
    Refused
        They are not there.
    """
    try:
        plain = json.loads(extra)
        salt, subject = plain["salt"], plain["subject"]
        leaf_of(subject["status"], salt, subject)
        if set(plain) != {"salt", "subject"} or canonical_json(plain) != extra:
            raise ValueError("not canonical")
        if bytes.fromhex(salt).hex() != salt:
            raise ValueError("a second text for the same salt")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise Refused(
            "proof-without-line",
            "The proof does not say which line it proves. Ask the laboratory for the original.",
        ) from problem
    return salt, subject
