"""Where random numbers come from: one stream of raw bits for each input of each item.

The bits of NumPy's bit generators are kept stable from version to version, its distributions are
not; so the bits are turned into numbers here. A stream depends on seed, item and place of the
input alone: not on the size of blocks, the order of items or the number of workers.
This module must not know distributions or models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from calib.engine.errors import OutOfRange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    BitArray = NDArray[np.uint64]

GENERATOR = "SFC64"
RANDOM = 0
SCRAMBLES = 1
"""First number of a stream's key after the item: what the stream is for."""
_MANTISSA = np.uint64(12)
_ONE = np.uint64(0x3FF0000000000001)


class Points(Protocol):
    """Uniform numbers for the inputs of a model, trial after trial."""

    def take(self, place: int, n: int) -> FloatArray:
        """Give the next n numbers of one place, strictly between -1/2 and 1/2."""
        ...


def check_seed(name: str, number: int) -> None:
    """Refuse a negative seed or number of an item.

    Raises
    ------
    OutOfRange
        It is negative.

    Notes
    -----
    Source: NumPy, SeedSequence.
    Checked against: tests/reference/streams.toml.
    Limits: none.
    """
    if number < 0:
        msg = f"The {name} is a whole number, not negative, got {number}."
        raise OutOfRange(msg, {name: number})


def open_stream(seed: int, item: int, use: int, place: int) -> np.random.BitGenerator:
    """Open the stream of one input of one item at its beginning.

    Parameters
    ----------
    seed : int
        Of the whole evaluation, not negative.
    item : int
        Which item of a fleet, not negative.
    use, place : int
        What the numbers are for, and the place among those.

    Returns
    -------
    BitGenerator
        SFC64, seeded by the four numbers.

    Raises
    ------
    OutOfRange
        Seed or item is negative.

    Notes
    -----
    Source: NumPy, SeedSequence and SFC64 (bit generators are stream compatible, NEP 19).
    Checked against: tests/reference/streams.toml.
    Limits: 2^192 states each; different keys give streams without detectable relation.
    """
    check_seed("seed", seed)
    check_seed("item", item)
    return np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(item, use, place)))


def centre(bits: BitArray) -> FloatArray:
    """Turn 64 random bits each into numbers q, in place, symmetric about 0.

    Parameters
    ----------
    bits : array of uint64
        Overwritten.

    Returns
    -------
    array
        Odd multiples of 2^-52 strictly between -1/2 and 1/2; q + 1/2 is uniform.

    Notes
    -----
    Source: the 51 leading bits become the mantissa of a number between 1 and 2.
    Checked against: tests/reference/streams.toml.
    Limits: neither 0 nor the ends occur; tails end at a probability of 2^-52.
    """
    bits >>= _MANTISSA
    bits |= _ONE
    q = bits.view(np.float64)
    q -= 1.5
    return q


class RandomPoints:
    """Independent random numbers from one stream per place."""

    def __init__(self, seed: int, item: int) -> None:
        self.seed, self.item = seed, item
        self.streams: dict[int, np.random.BitGenerator] = {}

    def take(self, place: int, n: int) -> FloatArray:
        """Give the next n numbers of one place."""
        if place not in self.streams:
            self.streams[place] = open_stream(self.seed, self.item, RANDOM, place)
        return centre(np.asarray(self.streams[place].random_raw(n)))
