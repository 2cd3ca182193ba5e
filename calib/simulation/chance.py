"""Chance that is the same on every platform: numbers keyed by words, from stable random bits.

The bits of NumPy's bit generators keep from version to version, its distributions do not; so the
bits are turned into numbers here. Knows nothing of instruments.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy import special

from calib.engine.streams import centre

FloatArray = NDArray[np.float64]


class Chance:
    """One stream of numbers, told from all others by the words it was opened with."""

    def __init__(self, *words: object) -> None:
        """Open the stream; the same words open the same stream."""
        key = hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()
        self._bits = np.random.Philox(key=np.frombuffer(key[:16], dtype="<u8").astype(np.uint64))

    def uniform(self, n: int) -> FloatArray:
        """Return the next n numbers, strictly between 0 and 1."""
        return centre(np.asarray(self._bits.random_raw(n))) + 0.5

    def normal(self, n: int) -> FloatArray:
        """Return the next n numbers of the standard normal distribution."""
        return np.asarray(special.ndtri(self.uniform(n)))

    def between(self, low: float, high: float) -> float:
        """Return the next number between two."""
        return low + (high - low) * float(self.uniform(1)[0])

    def below(self, n: int) -> int:
        """Return the next of the whole numbers 0 to n - 1."""
        return int(self.uniform(1)[0] * n)
