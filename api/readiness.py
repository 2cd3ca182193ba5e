"""Whether the installation can do its work, part by part, without naming anybody or anything."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from api.doctor import LEAST_FREE
from calib.i18n import translate
from calib.jobs import tasks
from calib.ledger.checkpoints import read_checkpoint
from calib.ledger.notes import read_note
from calib.services import lateness, recall, recovery
from calib.services.log import CHECKPOINT
from instruments.db import journal_in_words
from instruments.tenancy import installation_session

if TYPE_CHECKING:
    from api.bootstrap import Wiring

JUMP = timedelta(seconds=60)
"""How far the clock may drift from the time that really passed since this process looked first."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found: words by part, and figures without words."""

    checks: Mapping[str, str]
    """``ok``, or what is wrong."""
    red: tuple[str, ...]
    """Parts without which the work cannot be done."""
    figures: Mapping[str, float]


STOPS = ("database", "disk", "log", "keys", "checkpoint", "outbox", "clock")


def look(wired: Wiring, language: str) -> Readiness:
    """Look at every part; whatever breaks is told by its kind alone."""
    checks: dict[str, str] = {}
    figures: dict[str, float] = {}
    now = wired.clock()
    try:
        with installation_session(wired.engine) as session:  # a writing transaction
            _work(wired, session, now, language, checks, figures)
        checks["database"] = "ok"
    except Exception as problem:  # noqa: BLE001 -- readiness reports whatever it is
        checks["database"] = type(problem).__name__
    failure = tasks.log_failure()
    checks["log"] = translate(failure.message, language, **failure.facts) if failure else "ok"
    free = shutil.disk_usage(wired.settings.folder).free
    checks["disk"] = "ok" if free > LEAST_FREE else f"only {free} bytes free"
    figures["disk_free_bytes"] = free
    checks["keys"] = wired.watch.asked(wired.probe)
    if wired.engine.dialect.name == "sqlite":
        checks["journal"] = journal_in_words()
    red = tuple(name for name in STOPS if checks.get(name, "ok") != "ok")
    return Readiness(checks, red, figures)


def _work(
    wired: Wiring,
    session: Session,
    now: datetime,
    language: str,
    checks: dict[str, str],
    figures: dict[str, float],
) -> None:
    alarm = recall.schedule_alarm(session, now)
    checks["schedule"] = alarm.words(language) if alarm else "ok"
    reserved = len(recovery.reserved_alarms(session, now))
    figures["reserved_certificates"] = reserved
    checks["certificates"] = "ok"
    if reserved:
        checks["certificates"] = translate(
            "{count} certificates are reserved and not issued; calib doctor says why.",
            language,
            count=reserved,
        )
    lines = _unpublished(wired, session, now)
    figures["unpublished_lines"] = lines
    checks["checkpoint"] = "ok" if not lines else f"{lines} lines wait for a signed head"
    waits = lateness.outbox_waits(session, now)
    figures["outbox_oldest_seconds"] = waits.total_seconds()
    checks["outbox"] = "ok" if waits <= lateness.STUCK else f"oldest waits for {waits}"
    behind = lateness.clock_behind(session, now)
    step = wired.watch.step(now)
    figures["clock_step_seconds"] = step.total_seconds()
    checks["clock"] = "ok"
    if behind:
        checks["clock"] = f"{behind} behind what already happened"
    elif abs(step) > JUMP:
        checks["clock"] = f"jumped by {step}"


def _unpublished(wired: Wiring, session: Session, now: datetime) -> int:
    """Return how many lines wait too long; none where the installation keeps no log."""
    content = wired.publisher.log_files.read(CHECKPOINT)
    if content is None:
        if wired.publisher.log(now) is None:
            return 0
        return lateness.unpublished(session, 0, now)
    return lateness.unpublished(session, read_checkpoint(read_note(content)).size, now)
