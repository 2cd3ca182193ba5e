"""The static files of the log, down to the example of the specification."""

import pytest

from calib.ledger.merkle import leaf_hash, nodes_of, root
from calib.ledger.tiles import (
    Tile,
    bundle_of,
    bundles_of,
    entries_of,
    nodes_from,
    path_of,
    tile_content,
    tiles_of,
)


def test_the_example_of_the_specification():
    """Of 70 000 leaves: 273 full tiles and one of 112; one full and one of 17; one of width 1."""
    found = list(tiles_of(70_000))
    shape = {
        level: (
            sum(t.level == level and t.width == 256 for t in found),
            [t.width for t in found if t.level == level and t.width < 256],
        )
        for level in range(4)
    }
    assert shape == {0: (273, [112]), 1: (1, [17]), 2: (0, [1]), 3: (0, [])}


def test_a_full_tile_stands_under_a_tile_of_one():
    assert list(tiles_of(256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]


@pytest.mark.parametrize(
    ("level", "place", "width", "expected"),
    [
        ("0", 1_234_067, 256, "0/x001/x234/067"),
        ("0", 0, 256, "0/000"),
        ("2", 999, 7, "2/999.p/7"),
        ("entries", 1000, 256, "entries/x001/000"),
    ],
)
def test_names_of_files(level, place, width, expected):
    assert path_of(level, place, width) == expected


def test_growing_writes_what_building_at_once_would():
    """Step by step, whatever the steps, the files are those of the whole."""
    leaves = nodes_of([leaf_hash(str(i).encode()) for i in range(1500)])
    at_once = {tile.path(): tile_content(tile, leaves) for tile in tiles_of(1500)}
    files, before = {}, 0
    for size in (1, 2, 255, 256, 257, 700, 768, 1500):
        files |= {tile.path(): tile_content(tile, leaves) for tile in tiles_of(size, before)}
        before = size
    assert at_once.items() <= files.items()
    assert {path for path in files.keys() - at_once.keys() if ".p/" not in path} == set()


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 1000, 65_536, 70_000])
def test_roots_follow_from_the_files_alone(size):
    leaves = nodes_of([leaf_hash(str(i).encode()) for i in range(size)])
    files = {(t.level, t.place): tile_content(t, leaves) for t in tiles_of(size)}
    assert root(size, nodes_from(lambda level, place: files[level, place])) == root(size, leaves)


def test_a_tile_cut_short_is_noticed():
    leaves = nodes_of([leaf_hash(str(i).encode()) for i in range(5)])
    whole = tile_content(Tile(0, 0, 5), leaves)
    with pytest.raises(ValueError, match="too short"):
        root(5, nodes_from(lambda _level, _place: whole[:-1]))


def test_bundles_hold_entries_in_order():
    entries = (b"", b"one", b"\0" * 65_535)
    assert entries_of(bundle_of(entries)) == entries
    assert list(bundles_of(600)) == [(0, 256), (1, 256), (2, 88)]
    assert list(bundles_of(600, 600)) == []
    assert list(bundles_of(600, 512)) == [(2, 88)]
    assert list(bundles_of(512, 300)) == [(1, 256)]


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_a_bundle_cut_short_is_noticed(cut):
    with pytest.raises(ValueError, match="breaks off"):
        entries_of(bundle_of((b"ab", b"cde"))[:-cut])


def test_an_entry_too_long_for_its_length_is_refused():
    with pytest.raises(ValueError, match="at most 65535"):
        bundle_of((b"\0" * 65_536,))
