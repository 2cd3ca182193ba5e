"""The log as static files (C2SP tlog-tiles): hashes in tiles of 256, entries in bundles of 256.

Names and content of the files, and the way back from tiles to hashes of subtrees. Where they are
kept is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from calib.ledger.merkle import HASH_SIZE, Nodes, node_hash

WIDTH = 256
LEVELS = 8
"""Levels of the tree in one tile."""
ENTRIES = "entries"
MAX_ENTRY = 0xFFFF


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile, or the partial one at the right end of its level."""

    level: int
    place: int
    width: int = WIDTH

    def path(self) -> str:
        """Return the name under ``tile/``."""
        return path_of(str(self.level), self.place, self.width)


def path_of(level: str, place: int, width: int = WIDTH) -> str:
    """Return the name of a tile or bundle: three digits to a folder, an x before all but the last.

    Example: place 1234067 of level 0 is ``0/x001/x234/067``.
    """
    parts = [f"{place % 1000:03d}"]
    while place := place // 1000:
        parts.insert(0, f"x{place % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"{level}/{'/'.join(parts)}{partial}"


def tiles_of(size: int, before: int = 0) -> Iterator[Tile]:
    """Return the tiles a tree of `size` has and one of `before` had not, level by level."""
    level = 0
    while count := size >> (LEVELS * level):
        had = before >> (LEVELS * level)
        if count != had:
            for place in range(had // WIDTH, count // WIDTH):
                yield Tile(level, place)
            if count % WIDTH:
                yield Tile(level, count // WIDTH, count % WIDTH)
        level += 1


def bundles_of(size: int, before: int = 0) -> Iterator[tuple[int, int]]:
    """Return (place, width) of the bundles a log of `size` has and one of `before` had not."""
    for place in range(before // WIDTH, size // WIDTH):
        yield place, WIDTH
    if size % WIDTH and size != before:
        yield size // WIDTH, size % WIDTH


def tile_content(tile: Tile, nodes: Nodes) -> bytes:
    """Return the bytes of a tile."""
    first = tile.place * WIDTH
    level = tile.level * LEVELS
    return b"".join(nodes(level, first + i) for i in range(tile.width))


def nodes_from(tile_at: Callable[[int, int], bytes]) -> Nodes:
    """Return hashes of subtrees, read from tiles: (level, place) -> bytes, full or partial.

    Raises ValueError for a tile that is too short.
    """

    def node(level: int, place: int) -> bytes:
        tier, inside = divmod(level, LEVELS)
        first = place << inside
        content = tile_at(tier, first // WIDTH)
        start = first % WIDTH * HASH_SIZE
        row = content[start : start + (HASH_SIZE << inside)]
        if len(row) != HASH_SIZE << inside:
            raise ValueError(f"tile {tier}/{first // WIDTH} is too short")
        return merged(row)

    return node


def merged(row: bytes) -> bytes:
    """Return the hash over a row of hashes, as many as a power of two."""
    hashes = [row[i : i + HASH_SIZE] for i in range(0, len(row), HASH_SIZE)]
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[i : i + 2]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def bundle_of(entries: Sequence[bytes]) -> bytes:
    """Return entries, each after its length in two bytes.

    Raises ValueError for an entry longer than 65535 bytes.
    """
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise ValueError(f"an entry of a log has at most {MAX_ENTRY} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def entries_of(bundle: bytes) -> tuple[bytes, ...]:
    """Take a bundle apart.

    Raises ValueError when it breaks off.
    """
    entries = []
    at = 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if at + 2 > len(bundle) or end > len(bundle):
            raise ValueError("the bundle breaks off")
        entries.append(bundle[at + 2 : end])
        at = end
    return tuple(entries)
