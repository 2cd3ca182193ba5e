"""Liveness and readiness for whoever watches the installation."""

from __future__ import annotations

import shutil
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import func, select

from api.deps import Language, Wired, allows
from api.doctor import LEAST_FREE
from calib.i18n import translate
from calib.jobs import tasks
from calib.services import recall, recovery
from instruments.db import journal_in_words
from instruments.tenancy import installation_session

router = APIRouter(include_in_schema=False)


@router.get("/livez", dependencies=allows("public.health"))
def live() -> dict[str, str]:
    """Answer as long as the event loop turns."""
    return {"status": "alive"}


@router.get("/readyz", dependencies=allows("public.health"))
def ready(wired: Wired, response: Response, language: Language) -> dict[str, Any]:
    """Answer what works and what does not; 503 when the installation cannot do its work."""
    checks: dict[str, str] = {}
    try:
        with installation_session(wired.engine) as session:  # a writing transaction
            session.execute(select(func.count()).select_from(select(1).subquery()))
            alarm = recall.schedule_alarm(session, wired.clock())
            checks["schedule"] = alarm.words(language) if alarm else "ok"
            reserved = recovery.reserved_alarms(session, wired.clock())
            checks["certificates"] = _reserved(len(reserved), language) if reserved else "ok"
        checks["database"] = "ok"
    except Exception as problem:  # noqa: BLE001 -- readiness reports whatever it is
        checks["database"] = type(problem).__name__
    failure = tasks.log_failure()
    checks["log"] = translate(failure.message, language, **failure.facts) if failure else "ok"
    free = shutil.disk_usage(wired.settings.folder).free
    checks["disk"] = "ok" if free > LEAST_FREE else f"only {free} bytes free"
    if wired.engine.dialect.name == "sqlite":
        checks["journal"] = journal_in_words()
    red = [name for name in ("database", "disk", "log") if checks.get(name) != "ok"]
    response.status_code = 503 if red else 200
    return {"status": "not ready" if red else "ready", "checks": checks}


def _reserved(count: int, language: str) -> str:
    """Say how many; which and why is for the lab's own people and the operator."""
    return translate(
        "{count} certificates are reserved and not issued; calib doctor says why.",
        language,
        count=count,
    )
