"""What a reading means, asked by the people of a venue on a page."""

from __future__ import annotations

import pytest

from tests.support import builders, issuing
from tests.support.builders import context_for
from tests.support.door import a_door
from tests.support.web import Browser, a_sign_in


@pytest.fixture
def door(database_url, tmp_path):
    made = a_door(database_url, tmp_path)
    issuing.issued(made.bench, made.store, issuing.authorised(made.bench))
    yield made
    made.bench.engine.dispose()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reading_is_corrected_by_the_certificate_that_speaks(door, language):
    customer = door.bench.customer_id
    token = a_sign_in(door.bench.installation, "venue_operator", customer_id=customer)
    browser = Browser(door.app, token, language)
    assert "/instruments/1/reading" in browser.client.get("/board").text
    asked = browser.client.get("/instruments/1/reading")
    assert asked.status_code == 200
    for typed in ("50.05", "５０．０５", "50,05 °C"):
        page = browser.client.get("/instruments/1/reading", params={"reading": typed}).text
        assert 'class="result"' in page, typed
        assert "50.05" in page
    beyond = browser.client.get("/instruments/1/reading", params={"reading": "5000"})
    assert beyond.status_code == 422
    assert 'class="result"' not in beyond.text
    assert browser.client.get("/instruments/1/reading?reading=abc").status_code == 422


def test_without_a_certificate_it_says_what_to_do(door):
    with context_for(door.bench.installation) as ctx:
        bare = builders.an_instrument(ctx, door.bench.catalogue, customer_id=door.bench.customer_id)
    browser = Browser(door.app, a_sign_in(door.bench.installation))
    answer = browser.client.get(f"/instruments/{bare.id}/reading?reading=37")
    assert answer.status_code == 409
    assert "Request a calibration" in answer.text


def test_another_customers_instrument_is_not_there(door):
    with context_for(door.bench.installation) as ctx:
        other = builders.a_customer(ctx)
    token = a_sign_in(door.bench.installation, "venue_operator", customer_id=other.id)
    assert Browser(door.app, token).client.get("/instruments/1/reading").status_code == 404
