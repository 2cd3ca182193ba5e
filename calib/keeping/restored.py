"""The mark of a restored installation: it is only read until somebody has looked at it."""

from __future__ import annotations

from pathlib import Path

MARKER = "restored.json"
"""In the data folder."""


def is_unacknowledged(data: Path) -> bool:
    """Answer whether a restored installation still waits for somebody to look at it."""
    return (data / MARKER).exists()


def acknowledge(data: Path) -> None:
    """Let a restored installation be written again."""
    (data / MARKER).unlink(missing_ok=True)
