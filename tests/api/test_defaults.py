"""An installation as it begins: no account, no secret, nothing shown that is not meant."""

from __future__ import annotations

import dataclasses

from sqlalchemy import func, select

from api.settings import Settings
from calib.migrations.run import upgrade
from instruments.db import open_engine
from instruments.records.parties import Lab, Person
from instruments.tenancy import installation_session
from tests.support.web import ORIGIN, TestClient


def test_a_new_installation_has_no_account(tmp_path):
    engine = open_engine(f"sqlite+pysqlite:///{tmp_path / 'new.db'}")
    upgrade(engine)
    with installation_session(engine, read_only=True) as session:
        for table in (Person, Lab):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    engine.dispose()


def test_no_setting_has_a_secret_of_its_own():
    secret = [f for f in dataclasses.fields(Settings) if f.metadata["secret"]]
    assert secret
    assert all(f.default == "" for f in secret)


def test_no_folder_is_listed_and_no_trace_answered(app):
    client = TestClient(app, base_url=ORIGIN, follow_redirects=False)
    for path in ("/static/", "/static", "/static/authenticate/", "/.git/config", "/docs", "/redoc"):
        assert client.get(path).status_code in (303, 307, 404), path
    for path in ("/", "/livez", "/api/v1/customers", "/static/style.css"):
        assert client.request("TRACE", path).status_code == 405, path
