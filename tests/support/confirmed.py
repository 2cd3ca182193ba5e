"""Limits compared with their documents, as somebody of the lab does it one by one."""

from __future__ import annotations

from instruments.context import Context
from instruments.procedure import InstrumentType
from instruments.services import confirmations
from instruments.services.confirmations import ConfirmationEntry, ConfirmationView


def confirm_limits(ctx: Context, *types: InstrumentType) -> list[ConfirmationView]:
    """Confirm every limit of these types that is open in the lab; the actor needs the role."""
    return [
        confirmations.confirm(
            ctx,
            type_,
            one.figure.measurand.id,
            one.figure.digest,
            ConfirmationEntry(one.figure.limit.document, one.figure.limit.clause or "5", ctx.today),
        )
        for type_ in types
        for one in confirmations.list_open(ctx, [type_])
    ]
