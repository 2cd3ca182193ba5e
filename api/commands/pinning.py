"""The trust bundle that a person names at the terminal, looked at before it is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.json_reading import read_json
from instruments.errors import Finding, Invalid

if TYPE_CHECKING:
    from calib.ledger.trust import TrustBundle


def pinned(content: bytes) -> TrustBundle:
    """Return the trust bundle that a file holds; raises Invalid when it is none."""
    from calib.ledger.trust import read_trust
    from calib.verifier.seals import roots_of, time_roots_of

    try:
        trust = read_trust(read_json(content))
        roots_of(trust)
        time_roots_of(trust)
    except Invalid as problem:
        if problem.code.startswith("trust-"):
            raise
        raise Invalid(
            "trust-unreadable",
            "This is no trust bundle ({problem}). Ask the laboratory for it again, by a way other "
            "than the certificate.",
            facts={"problem": Finding(problem.code, problem.message, facts=problem.facts)},
        ) from problem
    return trust
