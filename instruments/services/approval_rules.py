"""How strictly a lab's work is approved: competence, signatures, three persons or two."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import select
from sqlalchemy.orm import Session

from instruments.context import Context
from instruments.errors import Refused
from instruments.records.parties import Lab
from instruments.services import audit
from instruments.services.rows import change


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """What the lab asks for beyond the roles."""

    keeps_competence: bool
    """Nobody does what was not granted to them by method, range and period."""
    demands_signatures: bool
    """Who submits, reviews or authorises proves anew who they are."""
    separates_signatory: bool
    """Who reviewed does not authorise too."""
    demands_second_factor: bool = False
    """Who performs, reviews or authorises signs in with a second factor or a passkey."""


STRICT_RULES = ApprovalRules(
    keeps_competence=True,
    demands_signatures=True,
    separates_signatory=True,
    demands_second_factor=True,
)
"""What a laboratory that is founded begins with."""


def rules_of(session: Session, lab_id: int) -> ApprovalRules:
    """Return the rules of a lab."""
    lab = session.scalars(select(Lab).where(Lab.id == lab_id)).one()
    return ApprovalRules(
        lab.keeps_competence,
        lab.demands_signatures,
        lab.separates_signatory,
        lab.demands_second_factor,
    )


def rules(ctx: Context) -> ApprovalRules:
    """Return the rules of the lab of the context."""
    return rules_of(ctx.session, ctx.lab_id)


def set_rules(ctx: Context, new: ApprovalRules) -> ApprovalRules:
    """Change the rules of the lab; work under way is judged by the new ones.

    Raises NotAllowed unless a quality or lab manager asks.
    """
    ctx.need("competence.write")
    lab = ctx.session.scalars(select(Lab).where(Lab.id == ctx.lab_id)).one()
    values = {field.name: getattr(new, field.name) for field in fields(new)}
    differences = change(ctx, lab, values, "lab")
    audit.record(ctx, "registry:lab:approval_rules", "lab", lab.id, differences)
    return new


def begin_with(session: Session, lab_id: int, new: ApprovalRules) -> None:
    """Give a lab that is just being founded its first rules."""
    lab = session.scalars(select(Lab).where(Lab.id == lab_id)).one()
    for field in fields(new):
        setattr(lab, field.name, getattr(new, field.name))
    session.flush()


def need_third(name: str) -> Refused:
    """Return why whoever reviewed may not authorise as well."""
    return Refused(
        "reviewer-authorises",
        "{name} reviewed this record, and this laboratory has a third person authorise. Ask "
        "another signatory.",
        facts={"name": name},
        clause="ISO/IEC 17025:2017 7.8.1",
    )
