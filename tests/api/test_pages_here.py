"""Another language or another light shows the same page again, also after a refused form."""

from __future__ import annotations

import pytest

from tests.support.benched import a_draft, with_address
from tests.support.web import Browser, a_sign_in


@pytest.fixture
def technician(app, world):
    with_address(world)
    return Browser(app, a_sign_in(world, "technician"))


def here(page):
    """Return where the switches of language and light lead back to."""
    (back,) = {field.get("value") for field in page.document.xpath("//input[@name='back']")}
    return back


@pytest.mark.parametrize(
    ("address", "back"),
    [
        ("/instruments?due=30&text=a%26b", "/instruments?due=30&text=a%26b"),
        ("/orders?state=requested&done=saved", "/orders?state=requested"),
        ("/", "/"),
    ],
)
def test_what_was_searched_for_stays(technician, address, back) -> None:
    assert here(technician.get(address)) == back


def test_after_a_refused_form_the_page_that_held_it_opens(technician, world) -> None:
    record = a_draft(world)
    refused = technician.post(f"/calibrations/{record.id}/sign", meaning="performed")
    assert refused.status == 422
    assert here(refused) == f"/calibrations/{record.id}"
    assert technician.get(here(refused)).status == 200
