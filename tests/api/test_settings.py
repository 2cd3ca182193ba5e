"""Settings as they are shown: what is secret stays so."""

from __future__ import annotations

import pytest

from api.settings import describe, read_settings


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("", ""),
        ("sqlite:///calib.db", "sqlite:///calib.db"),
        ("postgresql+psycopg://lab:tiger@db/calib", "postgresql+psycopg://lab:***@db/calib"),
        ("tiger", "(unreadable)"),
    ],
)
def test_the_password_of_the_database_is_not_shown(given, shown):
    rows = describe(read_settings({"CALIB_DATABASE_URL": given, "CALIB_SMTP_PASSWORD": "tiger"}))
    values = {row["variable"]: row["value"] for row in rows}
    assert values["CALIB_DATABASE_URL"] == shown
    assert values["CALIB_SMTP_PASSWORD"] == "(set)"
    assert "tiger" not in str(rows)
