"""Genuine certificates, and the verifier that forgeries are shown to."""

from __future__ import annotations

from collections import Counter

import pytest

from calib.certificates.pdf import render
from calib.verifier import examine as examining
from tests.support import forge


@pytest.fixture(scope="session")
def world() -> forge.World:
    """Return two laboratories with their certificates and their log."""
    return forge.a_world()


@pytest.fixture(scope="session", autouse=True)
def rendered_once():
    """Make the same pages once: the same document with the same files gives the same bytes."""
    kept: dict[tuple[object, ...], bytes] = {}

    def once(document, files):  # what stays patched for other tests must take every document
        key = (document.canonical(), *files.items())
        if key not in kept:
            kept[key] = render(document, files)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examining, "render", once)
        yield


def pytest_terminal_summary(terminalreporter):
    """Print how many attacks of each class were tried."""
    tried = Counter(
        report.nodeid.split("::")[0].rpartition("/test_")[2].removesuffix(".py")
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call" and "tests/attacks/" in report.nodeid
    )
    if tried:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(tried.items()))
        terminalreporter.write_line(f"attacks: {counts}; {tried.total()} in all")
