"""The matrix of rights: every route, whoever asks, and whose the thing is that it names.

`make docs` writes it from the routes and the policy, for people to review; tests/api/test_matrix.py
asks every cell of the running application. What is no route and no act is only said here: which
numbers belong to a customer, to a lab, to a person, and which name nothing of anybody.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterator
from typing import Final, cast

from api.app import create_app
from api.bootstrap import Wiring
from api.declared import declared
from instruments.policy import ACTIONS, BOUND, ROLES, Asker, Role, decide
from tests.house.source import ROOT

PAGE = ROOT / "docs" / "operate" / "matrix.csv"
LAB, CUSTOMER, AUTHORITY = 1, 1, 3
ACTORS: Final[dict[str, Asker]] = {
    "public": Asker(),
    **{
        role: Asker(1, frozenset({role}), lab=LAB, customer=CUSTOMER if role in BOUND else None)
        for role in ROLES
    },
    "regulator": Asker(1, office="regulator", lab=AUTHORITY),
    "program: read": Asker(1, frozenset[Role]({"manager"}), lab=LAB, reach=frozenset({"read"})),
    "program: order": Asker(1, frozenset[Role]({"manager"}), lab=LAB, reach=frozenset({"order"})),
}
"""Who asks. The last two are programs of a manager, whose token reaches no further than that."""

OF_CUSTOMER = {"customer_id", "site_id", "model_id", "instrument_id", "order_id", "certificate_id"}
OF_LAB = {
    "standard_id", "calibration_id", "method_id", "row_id", "webhook_id", "person_id",
    "membership_id",
}  # fmt: skip
OF_AUTHORITY = {"report_id", "problem_id"}
"""Of an authority; a problem is also of the laboratory it concerns."""
OF_PERSON = {"token_id", "session_id"}
ABSENT = {"mail_id", "digest", "token", "number", "matter", "path"}
"""There is none of these in the world that is asked: the answer is that of a missing thing."""
NOTHING_THERE = {
    ("GET", "/.well-known/calib-trust"), ("GET", "/log/checkpoint"), ("GET", "/status/list"),
    ("GET", "/metrics"), ("POST", "/methods/copy"), ("POST", "/models/new"),
    ("POST", "/orders/new"), ("POST", "/documents/supersede"),
    ("POST", "/lab/keys/{key_id}/consent"),
}  # fmt: skip
"""No log and no keys in that world; and what a form names that was sent empty, nobody has."""
PROVES_FIRST = {"/account/passkeys/begin"}
"""Refused until whoever is signed in shows again who they are."""


@functools.cache
def routes() -> tuple[tuple[str, str, str], ...]:
    """Return method, path and act of every route."""
    return tuple(declared(create_app(cast("Wiring", None))))


def names_in(path: str) -> set[str]:
    """Return the names of what a path holds."""
    return set(re.findall(r"\{([a-z_]+)", path))


def whose(path: str, act: str) -> tuple[str, ...]:
    """Return whose the thing may be that a path names: ``own``, ``other``, ``foreign``; or none.

    other: of another customer or person of the same lab; foreign: of another lab.
    """
    names = names_in(path)
    shared = names & OF_CUSTOMER and ACTIONS[act].roles & BOUND
    if shared or names & OF_PERSON:
        return ("own", "other", "foreign")
    return ("own", "foreign") if names & (OF_LAB | OF_CUSTOMER | OF_AUTHORITY) else ("",)


def expected(actor: str, method: str, path: str, act: str, of: str) -> str:
    """Return what somebody is answered: ``allowed``, ``refused``, ``hidden`` or ``sign in``."""
    asker = ACTORS[actor]
    decision = decide(asker, act)
    if decision.reason == "signed-out":
        return "sign in"
    if not decision or path in PROVES_FIRST:
        return "refused"
    names = names_in(path)
    bound = bool(asker.roles) and asker.roles <= BOUND
    # nobody ends a colleague's single sign-in; tokens are looked after by whoever keeps accounts
    of_another = names & OF_PERSON and ("session_id" in names or not decide(asker, "person.write"))
    foreign = of == "foreign" or (of == "other" and (bound or of_another))
    nothing = names & ABSENT or (method, path) in NOTHING_THERE
    return "hidden" if foreign or nothing else "allowed"


def as_table() -> Iterator[tuple[str, ...]]:
    """Yield the heading and a row for every route and whose the thing is."""
    yield ("method", "path", "act", "whose", *ACTORS)
    for method, path, act in sorted(routes(), key=lambda one: (one[1], one[0])):
        for of in whose(path, act):
            cells = (expected(actor, method, path, act, of) for actor in ACTORS)
            yield (method, path, act, of, *cells)


def written() -> list[tuple[str, ...]]:
    """Return the table as it was reviewed."""
    with PAGE.open(newline="", encoding="utf-8") as file:
        return [tuple(row) for row in csv.reader(file)]


def write() -> None:
    """Write the table."""
    with PAGE.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(as_table())


if __name__ == "__main__":
    write()
