"""Nobody confirms a limit by writing that it is confirmed."""

from __future__ import annotations

import pytest

from instruments.catalogue.loader import load_catalogue
from instruments.catalogue.schema import read_type
from instruments.errors import Invalid
from instruments.services.models import read_limits

ELECTRONIC = "thermometer.medical_electronic"
CONFIRMED = {"person": "Sun", "on": "2026-03-02", "document": "D"}


def test_a_file_cannot_confirm_its_own_limits():
    text = load_catalogue().text_of(ELECTRONIC)
    claim = 'confirmed = { person = "Sun", on = "2026-03-02", document = "D" }'
    text = text.replace("[[measurands.limits]]\n", f"[[measurands.limits]]\n{claim}\n", 1)
    (found,) = read_type(text, "mine.toml").findings
    assert (found.code, found.facts["key"]) == ("type-limit", "measurands[0].limits[0].confirmed")
    assert found.facts["line"] == text.splitlines().index(claim) + 1


def test_limits_of_maker_and_customer_cannot_be_sent_confirmed():
    row = {"document": "D", "confidence": "BG", "lower": "-1", "upper": "1", "confirmed": CONFIRMED}
    type_ = load_catalogue().get(ELECTRONIC)
    with pytest.raises(Invalid) as refused:
        read_limits({"temperature": [row]}, type_, "/maker_limits")
    assert refused.value.at == "/maker_limits/temperature/0/confirmed"
