"""Settings as they are shown: what is secret stays so."""

from __future__ import annotations

import pytest

from api import doctor
from api.settings import describe, read_settings
from api.usage import WrongUsage


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


def test_what_systemd_hands_over_is_read_from_its_files(tmp_path):
    (tmp_path / "calib-smtp-password").write_text("tiger\n", "utf-8")
    (tmp_path / "calib-smtp-host").write_text("elsewhere", "utf-8")
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    settings = read_settings(given)
    assert (settings.smtp_password, settings.smtp_host) == ("tiger", "")
    assert read_settings({**given, "CALIB_SMTP_PASSWORD": "lion"}).smtp_password == "lion"


@pytest.mark.parametrize(
    ("name", "value", "is_taken"),
    [
        ("CALIB_SMTP_HOST", "mail.example.org", False),
        ("CALIB_SMTP_HOST", "127.0.0.1", True),
        ("CALIB_TIMESTAMP_URL", "http://stamps.example.org/", False),
        ("CALIB_TIMESTAMP_URL", "https://stamps.example.org/", True),
        ("CALIB_TIMESTAMP_URL", "http://127.0.0.1:8020/", True),
    ],
)
def test_to_another_machine_nothing_is_said_in_clear(name, value, is_taken):
    if is_taken:
        assert read_settings({name: value})
        return
    with pytest.raises(WrongUsage):
        read_settings({name: value})


def test_a_mail_server_elsewhere_is_spoken_to_encrypted():
    given = {"CALIB_SMTP_HOST": "mail.example.org", "CALIB_SMTP_SECURITY": "starttls"}
    assert read_settings(given).smtp_security == "starttls"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgresql+psycopg://calib@db.example.org/calib", None),
        ("postgresql+psycopg://calib@db.example.org/calib?sslmode=require", None),
        ("postgresql+psycopg://calib@db.example.org/calib?sslmode=verify-full", "encrypted"),
        ("postgresql+psycopg:///calib?host=/run/postgresql", "this machine"),
        ("postgresql+psycopg://calib@127.0.0.1/calib", "this machine"),
    ],
)
def test_the_way_to_a_database_elsewhere_must_be_encrypted(address, says):
    settings = read_settings({"CALIB_DATABASE_URL": address})
    if says is None:
        with pytest.raises(doctor.Unwell, match="sslmode"):
            doctor._overheard(settings)
    else:
        assert says in doctor._overheard(settings)


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"CALIB_KMS_URL": "http://bao.example:8200/v1/transit"}, "https://"),
        ({"CALIB_KMS_URL": "https://bao.example/transit"}, "/v1/"),
        ({"CALIB_KMS_URL": "https://bao.example/v1/transit", "CALIB_PKCS11_MODULE": "/x"}, "token"),
    ],
)
def test_keys_have_one_place_and_the_way_to_it_is_encrypted(more, what):
    with pytest.raises(WrongUsage, match="CALIB_KMS_URL") as stop:
        read_settings(more)
    assert what in stop.value.facts["expected"]
