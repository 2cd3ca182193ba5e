"""Lines that wait unpublished are counted once they have waited too long."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from calib.services.log import grow
from calib.services.log_check import check_log
from tests.services.test_log import NOW, Place, clock


@pytest.fixture
def place(tmp_path):
    there = Place(tmp_path)
    yield there
    there.engine.dispose()


def test_lines_that_wait_too_long_are_counted(place):
    """Nothing was ever published, or no more than the beginning; a line just added is no fault."""
    place.append(3)
    later = NOW + timedelta(minutes=2)
    assert list(check_log(place.log, later - timedelta(seconds=1))) == []
    (finding,) = check_log(place.log, later)
    assert (finding.code, finding.facts) == ("log-unpublished", {"count": 3, "first": 0})
    assert finding.severity == "error"
    grow(place.log, clock)
    assert list(check_log(place.log, later)) == []
    place.append(2)
    (finding,) = check_log(place.log, later)
    assert finding.facts == {"count": 2, "first": 3}
    shutil.rmtree(place.files.root)
    assert "log-unpublished" in [one.code for one in check_log(place.log, later)]
