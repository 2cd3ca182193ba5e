"""What every use case is handed: session, lab, actor, instant, language.

No use case reads the clock, the environment or a global: it is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from instruments.errors import NotAllowed, NotFound, Refused
from instruments.policy import (
    ACTIONS,
    ROLES,
    STAFF,
    Asker,
    Decision,
    Office,
    Role,
    Thing,
    decide,
)

if TYPE_CHECKING:
    from instruments.tenancy import LabSession


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with the roles held in this lab today."""

    person_id: int
    name: str
    roles: frozenset[Role]
    customer_id: int | None = None
    """The customer whose people act; None for the lab's own people."""
    reach: frozenset[str] | None = None
    """What the token they came with is limited to; None: it is not."""
    via: str = ""
    """``sign-in:7``, ``token:3``: which of their ways in they came by."""
    office: Office | None = None
    """Held beyond one laboratory."""
    districts: frozenset[str] = frozenset()
    """What a regulator oversees (`instruments.records.mandates`)."""

    def decision(self, action: str, lab_id: int, thing: Thing | None = None) -> Decision:
        """Return what the policy says of an act in a lab."""
        asker = Asker(
            self.person_id,
            self.roles,
            self.office,
            lab=lab_id,
            customer=self.customer_id,
            reach=self.reach,
        )
        return decide(asker, action, thing)

    @property
    def is_staff(self) -> bool:
        """Answer whether the actor belongs to the lab's own people."""
        return bool(self.roles & STAFF)


@dataclass(frozen=True, slots=True)
class Context:
    """One request or job: bound to one lab, one actor, one instant."""

    session: LabSession
    lab_id: int
    actor: Actor
    now: datetime
    """UTC instant of the act."""
    zone: ZoneInfo
    """The lab's time zone: dates on paper are local."""
    language: str = "en"
    request_id: str = ""
    begun: set[str] = field(default_factory=set, compare=False)
    """The acts that were allowed: what one of them reads on its way is not asked of the token."""

    @property
    def today(self) -> date:
        """Return the lab's local date of the act."""
        return self.now.astimezone(self.zone).date()

    def may(self, action: str, thing: Thing | None = None) -> bool:
        """Answer whether the actor may do an act, to a thing of this lab where it is known."""
        return bool(self.actor.decision(action, self.lab_id, thing))

    def need(self, action: str, thing: Thing | None = None) -> None:
        """Refuse the act unless the policy allows it.

        Raises NotAllowed naming what is missing, NotFound for what is another's, Refused where
        another person is needed.
        """
        actor = self.actor
        if self.begun and not ACTIONS[action].writes:
            actor = replace(actor, reach=None)
        need(actor, action, self.lab_id, thing)
        self.begun.add(action)


def need(actor: Actor, action: str, lab_id: int, thing: Thing | None = None) -> None:
    """Refuse an act of somebody signed in to a lab; see `Context.need`."""
    decision = actor.decision(action, lab_id, thing)
    if not decision:
        refusal = _refusal(actor, action, decision)
        refusal.act = action
        raise refusal


def _refusal(actor: Actor, action: str, decision: Decision) -> NotAllowed | NotFound | Refused:
    if decision.reason == "foreign":
        return NotFound("not-found", "There is nothing like that here. Look it up.")
    if decision.reason == "same-person":
        return Refused(
            "needs-another-person",
            "{name} had a hand in this already and may not do this too. Ask a colleague.",
            facts={"name": actor.name},
        )
    if decision.reason == "token":
        return NotAllowed(
            "token-limited",
            "This token may not do this: it is limited to {reach}. Make one that reaches further, "
            "or sign in.",
            facts={"reach": ", ".join(sorted(actor.reach or ()))},
        )
    if decision.reason == "office":
        return NotAllowed(
            "office-missing",
            "{name} may not do this: it belongs to those who oversee laboratories by mandate, or "
            "who run the installation.",
            facts={"name": actor.name},
        )
    wanted = [role for role in ROLES if role in ACTIONS[action].roles] if action in ACTIONS else []
    return NotAllowed(
        "role-missing",
        "{name} may not do this: it needs the role {wanted}, and {name} holds {held}. "
        "Ask a lab manager to grant the role or a colleague who holds it to do the act.",
        facts={
            "name": actor.name,
            "wanted": _words(wanted),
            "held": _words([role for role in ROLES if role in actor.roles]) or "none",
        },
    )


def _words(roles: list[Role]) -> str:
    return ", ".join(role.replace("_", " ") for role in roles)
