"""Who may do what: one table, denied by default. Pure: it knows no session, request or row.

An action is what a use case does and what a route declares. Whatever is not in the table nobody
may do. Rights follow from the roles held today, never from a token; a token can only take away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Role = Literal[
    "technician",
    "reviewer",
    "signatory",
    "quality_manager",
    "manager",
    "administrator",
    "customer",
    "venue_operator",
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
STAFF: Final[frozenset[Role]] = frozenset(ROLES[:6])
"""Roles of the lab's own people; the others belong to a customer and see what is theirs."""
BOUND: Final[frozenset[Role]] = frozenset(ROLES[6:])
"""Roles that are held for one customer."""

SIGNING: Final[frozenset[Role]] = frozenset(ROLES[:3])
"""Roles whose holders perform, review or authorise under their name."""

Office = Literal["operator", "regulator"]
"""Held in the installation, not in a lab: who runs it; who oversees by mandate."""
OFFICES: Final[tuple[Office, ...]] = get_args(Office)

Who = Literal["public", "anyone", "roles", "office"]


@dataclass(frozen=True, slots=True)
class Action:
    """One act, and whose it may be."""

    name: str
    """``order.accept``: a thing and a verb."""
    writes: bool
    who: Who
    """public: without signing in; anyone: whoever is signed in, about what is their own."""
    roles: frozenset[Role] = frozenset()
    office: Office | None = None
    needs_other: bool = False
    """Whoever did the step before may not do this one."""


_T, _R, _S, _Q, _M, _A, _C, _V = ROLES
_BENCH: Final = (_T, _R, _S, _Q, _M)
"""Whoever works on records; the administrator keeps accounts and keys, and reads no results."""
_KEEPERS: Final = (_T, _M)
_OURS: Final = (*_BENCH, _A)
_THEIRS: Final = (_C, _V)


def _reads(who: Collection[Role], *names: str) -> Iterator[Action]:
    return (Action(name, writes=False, who="roles", roles=frozenset(who)) for name in names)


def _writes(who: Collection[Role], *names: str, needs_other: bool = False) -> Iterator[Action]:
    for name in names:
        yield Action(name, writes=True, who="roles", roles=frozenset(who), needs_other=needs_other)


_TABLE: Final[tuple[Action, ...]] = (
    # nobody need sign in for these
    *(
        Action(name, writes=False, who="public")
        for name in (
            "public.health", "public.sign_in_form", "public.certificate", "public.log",
            "public.status", "public.trust", "public.calendar", "public.examine_form",
            "public.errors", "public.password_form", "public.design", "public.glossary",
        )
    ),
    *(
        Action(name, writes=True, who="public")
        for name in ("public.sign_in", "public.sign_out", "public.language", "public.theme",
                     "public.examine", "public.password")
    ),
    # whoever is signed in, about themselves
    Action("account.read", writes=False, who="anyone"),
    Action("account.change", writes=True, who="anyone"),
    Action("home.read", writes=False, who="anyone"),
    # the registry
    *_reads(
        (*_BENCH, *_THEIRS),
        "type.read", "site.read", "model.read", "instrument.read",
    ),
    *_reads((*_OURS, *_THEIRS), "customer.read"),  # who gives roles names their customer
    *_reads(
        _BENCH,
        "customer.browse", "model.browse", "standard.read", "scope.read", "document.read",
        "figure.read",
    ),
    *_writes(
        _KEEPERS,
        "customer.write", "site.write", "model.write", "instrument.write", "instrument.status",
        "instrument.transfer",
        "registry.import", "standard.write", "standard.certificate",
    ),
    *_reads(  # a form is for whoever may send it
        _KEEPERS,
        "customer.form", "site.form", "model.form", "instrument.form", "registry.form",
        "standard.form",
    ),
    *_writes((_Q, _M), "scope.write"),
    *_reads((_S, _Q, _M), "document.form"),
    *_writes((_S, _Q, _M), "document.write", "figure.confirm"),
    # methods
    *_reads(_BENCH, "method.read", "method.form"),
    *_writes(_BENCH, "method.draft"),
    *_writes((_S, _Q, _M), "method.approve", needs_other=True),
    # orders
    *_reads((*_BENCH, *_THEIRS), "order.read"),
    *_reads((_T, _R, _S, _M, *_THEIRS), "order.form"),
    *_writes((_T, _R, _S, _M, *_THEIRS), "order.request"),
    *_writes((_T, _M, *_THEIRS), "order.cancel"),
    *_writes((*_KEEPERS, *_THEIRS), "instrument.announce"),  # new ones, within a request
    *_writes(_KEEPERS, "order.accept", "order.receive", "order.give_back"),
    *_writes((_T, _S, _M), "order.finish"),
    # records
    *_reads(_BENCH, "dashboard.read", "calibration.read"),
    *_reads((_T,), "calibration.form"),
    *_writes(
        (_T,), "calibration.open", "calibration.plan", "calibration.enter", "calibration.submit"
    ),
    *_writes((_T, _R, _S), "calibration.accept_warning", "calibration.sign"),
    *_writes((_T, _M), "calibration.close"),
    *_writes((_T, _R, _S, _M), "calibration.give_back"),
    *_writes((_R,), "calibration.review", needs_other=True),
    *_writes((_S,), "calibration.authorise", needs_other=True),
    # certificates
    *_reads((*_BENCH, *_THEIRS), "certificate.read", "board.read"),
    *_reads(_BENCH, "label.print"),
    *_writes((_S,), "certificate.issue"),
    *_writes((_T, _S, _M), "certificate.amend"),
    *_writes((_R, _S, _M), "certificate.consent"),
    *_writes((_S, _M), "certificate.withdraw", "certificate.void", needs_other=True),
    # the lab itself
    *_reads(_OURS, "lab.read", "person.read", "number.read", "key.read"),
    *_writes((_M, _A), "lab.write", "person.write", "number.write", "key.write"),
    *_writes((_R, _S, _M), "key.consent"),
    *_reads((_M, _A), "webhook.read"),
    *_writes((_M, _A), "webhook.write"),
    *_writes(_OURS, "mail.resend"),
    *_reads(_BENCH, "problem.read"),
    *_writes((_Q, _M), "problem.answer"),
    *_writes((_M, _A), "role.write", needs_other=True),
    *_writes((_Q, _M), "competence.write", needs_other=True),
    *_reads(_BENCH, "competence.read"),
    *_reads((_Q, _M, _A), "audit.read"),
    *_reads((_Q, _M), "audit.export"),
    # the installation
    Action("oversight.read", writes=False, who="office", office="regulator"),
    Action("oversight.report", writes=True, who="office", office="regulator"),
    Action("oversight.problem", writes=True, who="office", office="regulator"),
    Action("installation.read", writes=False, who="office", office="operator"),
    Action("installation.write", writes=True, who="office", office="operator"),
)  # fmt: skip
ACTIONS: Final[Mapping[str, Action]] = {action.name: action for action in _TABLE}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as far as rights go; nobody: not signed in."""

    person: int | None = None
    roles: frozenset[Role] = frozenset()
    office: Office | None = None
    lab: int | None = None
    customer: int | None = None
    reach: frozenset[str] | None = None
    """What the token of a program is limited to: things (``order``) or ``read``; None: all."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What the act is about, as far as rights go; None: not known or not of anybody."""

    lab: int | None = None
    customer: int | None = None
    done_by: frozenset[int] = frozenset()
    """Human beings who did the step before."""


Reason = Literal["unknown", "signed-out", "token", "role", "office", "foreign", "same-person"]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the act may be done, and if not, why."""

    reason: Reason | None = None

    def __bool__(self) -> bool:
        """Answer whether it may be done."""
        return self.reason is None


def decide(asker: Asker, name: str, thing: Thing | None = None) -> Decision:
    """Decide whether `asker` may do the act, to `thing` where it is known already."""
    action = ACTIONS.get(name)
    if action is None:
        return Decision("unknown")
    if action.who == "public":
        return Decision()
    if asker.person is None:
        return Decision("signed-out")
    if not _reaches(asker.reach, action):
        return Decision("token")
    if action.who == "office":
        return Decision(None if asker.office == action.office else "office")
    held = asker.roles & action.roles
    if action.who == "roles" and not held:
        return Decision("role")
    return _about(asker, held, action, thing) if thing is not None else Decision()


def _about(asker: Asker, held: frozenset[Role], action: Action, thing: Thing) -> Decision:
    """Decide what hangs on the thing: whose it is, and who had a hand in it."""
    if thing.lab is not None and thing.lab != asker.lab:
        return Decision("foreign")
    only_theirs = action.who == "roles" and held <= BOUND
    if only_theirs and (asker.customer is None or thing.customer != asker.customer):
        return Decision("foreign")
    if action.needs_other and asker.person in thing.done_by:
        return Decision("same-person")
    return Decision()


def _reaches(reach: frozenset[str] | None, action: Action) -> bool:
    if reach is None:
        return True
    if "read" in reach and not action.writes:
        return True
    return action.name.split(".", 1)[0] in reach


def things() -> tuple[str, ...]:
    """Return what a token can be limited to: the things that have actions of roles."""
    return tuple(sorted({a.name.split(".", 1)[0] for a in _TABLE if a.who == "roles"}))


def as_table() -> tuple[tuple[str, ...], ...]:
    """Return the policy for people to review: heading, then a row for every act."""
    heading = ("action", "writes", "another person", "public", *ROLES, *OFFICES)
    return (heading, *(_row(action) for action in sorted(_TABLE, key=lambda one: one.name)))


def _row(action: Action) -> tuple[str, ...]:
    held = (action.who in {"public", "anyone"} or role in action.roles for role in ROLES)
    offices = (action.who in {"public", "anyone"} or office == action.office for office in OFFICES)
    told = (action.writes, action.needs_other, action.who == "public", *held, *offices)
    return (action.name, *("yes" if one else "" for one in told))
