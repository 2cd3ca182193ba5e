"""Which sentences have no Chinese words yet."""

from __future__ import annotations

from collections.abc import Iterable

from calib.i18n import catalogue


def untranslated(sentences: Iterable[str]) -> tuple[str, ...]:
    """Return the sentences that a Chinese reader would get in English."""
    return tuple(one for one in sentences if one not in catalogue("zh"))
