"""A type that names the kinds of standard it wants is offered those, and no other by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from calib.services import supporting
from instruments.procedure import StandardWanted
from instruments.services import standards
from instruments.text import LocalizedText
from tests.support import builders, issuing

PRT = StandardWanted("prt", LocalizedText("thermometer", "温度计"), "temperature")
POINTS = {"temperature": ("0", "50")}
DAY = date(2026, 3, 2)


@pytest.fixture
def bench(bench_on_sqlite):
    return bench_on_sqlite


def _registered(ctx, kind: str, calibrated_on: date) -> int:
    certificate = issuing.a_wide_certificate(calibrated_on=calibrated_on)
    made = builders.a_standard(ctx, certificate)
    standards.update_standard(ctx, made.id, made.version, kind=kind)
    return standards.get_standard(ctx, made.id).certificates[0].id


def _offered(bench, wanted: tuple[StandardWanted, ...]):
    with bench.as_(issuing.everybody(bench)) as ctx:
        old = _registered(ctx, "prt", date(2025, 6, 1))
        new = _registered(ctx, "blackbody", date(2026, 2, 1))
        definition = replace(bench.catalogue.get(issuing.PROBE), standards=wanted)
        chosen = supporting.default_standards(ctx, definition, POINTS, DAY)
        reasons = {
            one.certificate_id: one.reason and one.reason.code
            for one in supporting.candidates(ctx, definition, POINTS, DAY)
        }
    return old, new, chosen["temperature"], reasons


def test_the_newest_of_the_wanted_kind_is_proposed(bench):
    old, new, chosen, reasons = _offered(bench, (PRT,))
    assert chosen == (old,)
    assert reasons[old] is None
    assert reasons[new] == "standard-of-other-kind"


def test_a_kind_wanted_for_other_inputs_does_not_matter_here(bench):
    _, new, chosen, reasons = _offered(bench, (replace(PRT, inputs=("pressure.p_ref",)),))
    assert chosen == (new,)
    assert reasons[new] is None


def test_a_type_that_names_no_kind_takes_the_newest(bench):
    _, new, chosen, _ = _offered(bench, ())
    assert chosen == (new,)
