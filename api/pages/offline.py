"""The script that opens the page of a record again without a connection.

It stands where its reach ends: a service worker governs the addresses below its own.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from api.deps import allows

router = APIRouter(include_in_schema=False)
WORKER = Path(__file__).parent.parent / "static" / "bench" / "worker.js"


@router.get("/calibrations/offline.js", dependencies=allows("calibration.read"))
def worker() -> FileResponse:
    """Return the worker of the pages of records."""
    return FileResponse(WORKER, media_type="text/javascript")
