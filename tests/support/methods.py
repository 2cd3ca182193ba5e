"""Methods of a lab in every state, made by people who may."""

from __future__ import annotations

from typing import Any

from calib.services import dry_run
from instruments.context import Context
from instruments.services import methods
from instruments.services.method_views import MethodView, get_method
from tests.support.issuing import PROBE, Bench

WIDER = {"/measurands/0/limits/0/upper": "9.9", "/measurands/0/limits/0/lower": "-9.9"}


def a_draft(bench: Bench, type_id: str = PROBE, **changes: Any) -> MethodView:
    """Return a draft that the technician copied and changed; `changes` by place."""
    with bench.as_(bench.technician) as ctx:
        made = methods.copy_type(ctx, type_id, bench.catalogue)
        return change(ctx, made, changes.get("changes"))


def change(ctx: Context, made: MethodView, changes: dict[str, Any] | None) -> MethodView:
    """Return the draft with figures changed, if any."""
    if not changes:
        return made
    return methods.change_figures(ctx, made.id, made.version, changes)


def submitted(bench: Bench, **more: Any) -> MethodView:
    """Return a revision the technician handed in."""
    made = a_draft(bench, **more)
    with bench.as_(bench.technician) as ctx:
        return dry_run.submit(ctx, made.id, made.version, "as our bath asks", bench.catalogue)


def approved(bench: Bench, **more: Any) -> MethodView:
    """Return a revision that the signatory approved."""
    made = submitted(bench, **more)
    with bench.as_(bench.signatory) as ctx:
        return methods.approve(ctx, made.id, made.version, "agreed", bench.catalogue)


def again(bench: Bench, method_id: int) -> MethodView:
    """Return a revision as it stands now."""
    with bench.as_(bench.technician, read_only=True) as ctx:
        return get_method(ctx, method_id)
