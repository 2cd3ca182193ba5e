"""Thermometers as tasks of kind thermometry and fit."""

from __future__ import annotations

from tests.reference.adapters.tasks import Reader

READERS: dict[str, Reader] = {}
