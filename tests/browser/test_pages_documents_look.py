"""The pages of governing documents in a real browser: nothing a program can find fault with."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.sync_api import Browser

from instruments.services import documents
from tests.support.builders import context_for
from tests.support.looks import Look, faults_of, in_looks
from tests.support.served import Served

pytestmark = pytest.mark.browser
NUMBER = "JJF 1107-2003"


@pytest.fixture(scope="module")
def paths(site: Served) -> tuple[str, ...]:
    """Return the pages, one of a document that the lab knows to be superseded."""
    with context_for(site.world) as ctx:
        act = documents.Supersession(
            number=NUMBER,
            replaced_by="JJF 1107-2026",
            source="List of the regulator",
            in_force_on=date(2026, 3, 1),
        )
        documents.supersede(ctx, act, documents.get_document(ctx, NUMBER).revision)
    return (
        "/documents",
        f"/documents/{NUMBER}",
        "/documents/JJG 1163-2019",
        "/documents/record",
        f"/documents/record?number={NUMBER}",
        "/documents/comparisons",
        "/documents/comparisons/ear-thermometers",
    )


@in_looks()
def test_no_page_of_documents_has_a_fault_a_program_can_find(
    browser: Browser, site: Served, paths: tuple[str, ...], look: Look
) -> None:
    assert faults_of(browser, site, look, paths) == []
