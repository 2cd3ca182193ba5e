"""The bench of a type of which one result is made of the readings of another."""

from __future__ import annotations

import pytest

from calib.services import readings
from calib.services.readings import PlanChange, ReadingEntry
from instruments.services import standards
from tests.support.benched import a_draft, with_address
from tests.support.builders import a_certificate, a_standard, context_for
from tests.support.web import Browser, a_sign_in


@pytest.fixture
def pump(world):
    """Return the draft of a syringe pump with one point read."""
    with_address(world)
    with context_for(world) as ctx:
        lines = (standards.CertificateLine("1", "1", "0.002", "2"),)
        lines += (standards.CertificateLine("1200", "1200", "0.02", "2"),)
        analyser = a_standard(
            ctx,
            a_certificate(values=lines, low="1", high="1200"),
            name_en="Pump analyser",
            name_zh="泵分析仪",
            quantity="volume_flow",
            unit="mL/h",
        )
    model = {
        "type_id": "pump.infusion_syringe",
        "calibration_mode": None,
        "resolution": {"flow": "0.1", "occlusion": "1"},
        "attributes": {"pump": "syringe"},
    }
    record = a_draft(world, model=model)
    with context_for(world) as ctx:
        (certificate,) = analyser.certificates
        plan = PlanChange(standards={"flow": [certificate.id]})
        readings.plan(ctx, record.id, record.version, plan)
        entries = [
            ReadingEntry("flow", "as_found", 0, "25", "q_ref", place, value, 0)
            for place, value in enumerate(("25.1", "24.9", "24.8"))
        ]
        readings.enter(ctx, record.id, entries)
    return record


def test_a_point_counts_once_and_a_derived_result_has_no_mean(app, world, pump) -> None:
    page = Browser(app, a_sign_in(world, "technician")).get(f"/calibrations/{pump.id}")
    live = page.document.xpath("//*[@data-live]")[0]
    said = " ".join(live.text_content().split())
    assert "1 of 4 points complete" in said
    assert len(live.xpath(".//ul[@class='points']/li")) == 2  # flow and its repeatability
    assert said.count("Mean") == 1
