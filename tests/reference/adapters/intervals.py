"""Recalibration intervals and drift as tasks of kind interval."""

from __future__ import annotations

from tests.reference.adapters.tasks import Reader

READERS: dict[str, Reader] = {}
