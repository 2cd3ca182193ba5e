"""Numbers have neither gaps nor duplicates, whoever takes them at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from instruments.errors import Invalid, NotAllowed
from instruments.services import numbers
from tests.support.builders import a_lab, context_for


def take(place, name="order", **more):
    with context_for(place, **more) as ctx:
        return numbers.take_number(ctx, name)


def test_number_follows_the_template(place):
    assert take(place) == "HZ-WT-2026-00001"
    assert take(place) == "HZ-WT-2026-00002"
    assert take(place, "barcode") == "HZ0000001"


def test_counter_starts_anew_in_the_lab_s_new_year(place):
    assert take(place) == "HZ-WT-2026-00001"
    # 2026-12-31 17:00 UTC is 1 January in Shanghai
    assert take(place, now=datetime(2026, 12, 31, 17, tzinfo=UTC)) == "HZ-WT-2027-00001"
    assert take(place, now=datetime(2026, 12, 31, 15, tzinfo=UTC)) == "HZ-WT-2026-00002"


def test_rolled_back_act_gives_its_number_back(place):
    with suppress(RuntimeError), context_for(place) as ctx:
        assert numbers.take_number(ctx, "order") == "HZ-WT-2026-00001"
        raise RuntimeError
    assert take(place) == "HZ-WT-2026-00001"


def test_rolled_back_savepoint_gives_its_number_back(place):
    with context_for(place) as ctx:
        with ctx.session.begin_nested() as attempt:
            numbers.take_number(ctx, "order")
            attempt.rollback()
        assert numbers.take_number(ctx, "order") == "HZ-WT-2026-00001"


def test_takers_at_once_get_every_number_once(place):
    def some(_):
        return [take(place) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        taken = [number for several in pool.map(some, range(4)) for number in several]
    assert sorted(taken) == [f"HZ-WT-2026-{n:05d}" for n in range(1, 41)]


def test_several_numbers_are_taken_at_once(place):
    with context_for(place) as ctx:
        assert numbers.take_numbers(ctx, "barcode", 3) == ("HZ0000001", "HZ0000002", "HZ0000003")
        assert numbers.take_number(ctx, "barcode") == "HZ0000004"


def test_labs_count_apart(place):
    other = a_lab(place.engine, "SH")
    assert take(place) == "HZ-WT-2026-00001"
    assert take(place, lab_id=other) == "SH-WT-2026-00001"


def test_template_can_be_changed_and_counting_goes_on(place):
    take(place)
    with context_for(place) as ctx:
        numbers.set_template(ctx, "order", "{year}/{lab}/{seq:04d}")
        assert numbers.templates(ctx)["order"] == "{year}/{lab}/{seq:04d}"
    assert take(place) == "2026/HZ/0002"


def test_template_without_a_period_goes_on_from_the_highest_number(place):
    take(place)
    take(place)
    with context_for(place) as ctx:
        numbers.set_template(ctx, "order", "{lab}-WT-2026-{seq:05d}")
    assert take(place) == "HZ-WT-2026-00003"


def test_template_by_month_counts_by_month(place):
    with context_for(place) as ctx:
        numbers.set_template(ctx, "order", "{year}{month}-{seq:03d}")
    assert take(place) == "202603-001"
    assert take(place, now=datetime(2026, 4, 2, tzinfo=UTC)) == "202604-001"


@pytest.mark.parametrize(
    "template",
    [
        "{lab}-{year}",
        "{seq}{seq}",
        "{lab.__class__}{seq}",
        "{seq:>999999999d}",
        "{lab!r}{seq}",
        "{month}-{seq}",
        "{name}-{seq}",
        "{seq",
        "编号{seq}",
        "{{{seq}}}",
    ],
)
def test_template_that_could_repeat_or_mislead_is_refused(place, template):
    with context_for(place) as ctx, pytest.raises(Invalid) as caught:
        numbers.set_template(ctx, "order", template)
    assert caught.value.code == "template-unusable"


def test_unknown_series_is_refused(place):
    with context_for(place) as ctx, pytest.raises(Invalid, match="calibration_certificate"):
        numbers.set_template(ctx, "invoice", "{seq}")


def test_only_a_manager_changes_templates(place):
    with context_for(place, "technician") as ctx, pytest.raises(NotAllowed):
        numbers.set_template(ctx, "order", "{seq}")


def test_two_series_of_certificates_never_write_the_same_numbers(place):
    with context_for(place) as ctx:
        for same in ("{lab}-JZ-{year}-{seq:04d}", "HZ-JZ-2026-{seq}"):
            with pytest.raises(Invalid) as caught:
                numbers.set_template(ctx, "check_record", same)
            assert caught.value.code == "template-taken"
        numbers.set_template(ctx, "order", "{lab}-JZ-{year}-{seq:04d}")
        numbers.set_template(ctx, "calibration_certificate", "{lab}-C{seq}")
        numbers.set_template(ctx, "check_record", "{lab}-JZ-{year}-{seq:04d}")
