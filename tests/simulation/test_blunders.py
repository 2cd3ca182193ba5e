"""Blunders: each named, the rest untouched, and found by the checks or said to be unfindable."""

from __future__ import annotations

from collections import Counter

import pytest

from calib.evaluation.checks import check_record
from calib.simulation.blunders import SLIPS
from calib.simulation.simulate import Wanted, simulate
from tests.support import builders
from tests.support.whole import ready_of


@pytest.fixture(scope="module")
def pairs():
    """Return records without and with blunders."""
    catalogue = builders.the_catalogue()
    found = []
    for id_ in ("thermometer.infrared_ear", "sphygmomanometer.automated", "monitor.patient"):
        ready = ready_of(catalogue.get(id_))
        clean = simulate(ready, 9, range(12), Wanted(grade="good"))
        spoilt = simulate(ready, 9, range(12), Wanted(grade="good", blunders=0.05))
        found += list(zip(clean, spoilt, strict=True))
    return found


def readings(record):
    return {
        (p.key, n, i): r.value
        for p in record.points
        for n, series in p.readings.items()
        for i, r in enumerate(series)
    }


def test_what_changed_is_what_is_named(pairs):
    for clean, spoilt in pairs:
        before, after = readings(clean.record), readings(spoilt.record)
        named = {(b.point, b.input, b.place): (b.seen, b.written) for b in spoilt.blunders}
        changed = {k: (before[k], after[k]) for k in before if before[k] != after[k]}
        assert changed == named
        assert not clean.blunders


def test_every_kind_occurs(pairs):
    kinds = Counter(b.kind for _, spoilt in pairs for b in spoilt.blunders)
    assert set(kinds) == set(SLIPS)


def test_found_means_that_a_check_points_there(pairs):
    for _, spoilt in pairs:
        places: dict[str, set[str]] = {}
        for finding in check_record(spoilt.record):
            places.setdefault(finding.at, set()).add(finding.code)
        for blunder in spoilt.blunders:
            at = places.get(blunder.at, set()) | places.get(blunder.at.rpartition("/")[0], set())
            assert set(blunder.found_by) <= at
            assert blunder.found_by or not places.get(blunder.at)


def test_gross_slips_are_found_and_a_copied_reading_is_not(pairs):
    blunders = [b for _, spoilt in pairs for b in spoilt.blunders]
    gross = [b for b in blunders if b.kind in ("no_point", "other_unit")]
    assert sum(bool(b.found_by) for b in gross) > 0.6 * len(gross)
    copied = [b for b in blunders if b.kind == "repeated"]
    assert copied
    assert not any(b.found_by for b in copied)


def test_no_blunders_were_asked_for_none_are_made():
    ready = ready_of(builders.the_catalogue().get("thermometer.infrared_ear"))
    assert next(simulate(ready, 1, [0], Wanted(blunders=1e-9))).blunders == ()
