"""Refusals on their way into the audit trail: who asked, for what, and with which answer.

Written after the transaction of the request is gone, in one of their own. That it cannot be
written changes nothing of the refusal; the log of the process tells it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi import Request

from instruments.errors import DomainError, NotAllowed
from instruments.services import denials
from instruments.services.signin import Identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine

log = logging.getLogger("calib.denied")
AT_MACHINE = "command line"


def is_denial(error: DomainError) -> bool:
    """Answer whether somebody was refused for want of a right, not for what they sent."""
    return bool(error.act) or isinstance(error, NotAllowed)


def tell_request(request: Request, error: DomainError, origin: str) -> None:
    """Write down what somebody was refused at the pages or the JSON doors."""
    wired = request.app.state.wiring
    who: Identity | None = getattr(request.state, "who", None)
    asked = error.act or f"{request.method} {request.url.path}"[:200]
    request_id = str(getattr(request.state, "request_id", ""))
    tell(wired.engine, wired.clock, who, error, asked=asked, origin=origin, request_id=request_id)


def tell(
    engine: Engine,
    clock: Callable[[], datetime],
    who: Identity | None,
    error: DomainError,
    *,
    asked: str,
    origin: str = AT_MACHINE,
    request_id: str = "",
    act: str = denials.REQUEST,
) -> None:
    """Write a refusal into the trail; of a stranger into that of the only lab there is."""
    person_id, via = (who.person_id, who.via) if who else (None, "")
    denial = denials.Denial(act, error.code, asked, origin, person_id, via, request_id)
    log.info("%s refused to %s: %s (%s)", asked, denial.asker, error.code, origin)
    try:
        if who is not None:
            denials.tell(engine, who.lab_id, denial, clock())
        else:
            denials.tell_stranger(engine, denial, clock())
    except Exception:
        log.exception("the refusal of %s could not be written down", asked)
