"""What every use case is handed: session, lab, actor, instant, language.

No use case reads the clock, the environment or a global: it is told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from instruments.errors import NotAllowed

if TYPE_CHECKING:
    from instruments.tenancy import LabSession

Role = Literal["technician", "reviewer", "signatory", "manager", "venue_operator"]
ROLES: tuple[Role, ...] = ("technician", "reviewer", "signatory", "manager", "venue_operator")
STAFF: frozenset[Role] = frozenset({"technician", "reviewer", "signatory", "manager"})
"""Roles of the lab's own people; a venue operator belongs to a customer."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with the roles held in this lab today."""

    person_id: int
    name: str
    roles: frozenset[Role]
    customer_id: int | None = None
    """The customer a venue operator acts for; None for the lab's own people."""

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

    @property
    def today(self) -> date:
        """Return the lab's local date of the act."""
        return self.now.astimezone(self.zone).date()

    def need(self, *roles: Role) -> None:
        """Refuse the act unless the actor holds one of `roles`.

        Raises NotAllowed naming the roles that would do.
        """
        if not self.actor.roles & set(roles):
            raise NotAllowed(
                "role-missing",
                "{name} may not do this: it needs the role {wanted}, and {name} holds {held}. "
                "Ask a lab manager to grant the role or a colleague who holds it to do the act.",
                facts={
                    "name": self.actor.name,
                    "wanted": _words(roles),
                    "held": _words(sorted(self.actor.roles)) or "none",
                },
            )


def _words(roles: Collection[str]) -> str:
    return ", ".join(role.replace("_", " ") for role in roles)
