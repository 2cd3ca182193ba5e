"""The lints of the house: they hold, and each one bites."""

from __future__ import annotations

import pytest

from tests.house.lints import LINTS
from tests.house.source import HOUSES, Source, report, sources

BITES = {
    "clock": [
        ("calib/services/x.py", "from datetime import UTC, datetime\nt = datetime.now(UTC)"),
        ("api/v1/x.py", "import datetime\nt = datetime.date.today()"),
        ("instruments/x.py", "import time\nt = time.time()"),
        ("calib/records/x.py", "f(default=datetime.utcnow)"),
    ],
    "evaluation": [
        ("calib/engine/x.py", "eval('1 + 1')"),
        ("calib/x.py", "exec(text)"),
        ("calib/x.py", "compile(text, '', 'eval')"),
    ],
    "commit": [
        ("calib/services/review.py", "session.commit()"),
        ("api/pages/x.py", "context.session.commit()"),
    ],
    "unscoped": [
        ("instruments/services/x.py", "select(Instrument.__table__)"),
        ("calib/services/x.py", "from sqlalchemy import insert, select"),
        ("calib/services/x.py", "session.bulk_save_objects(rows)"),
    ],
    "bulk": [
        ("instruments/services/x.py", "session.execute(update(Person).values(name='x'))"),
        ("calib/services/x.py", "ctx.session.execute(delete(table).where(table.id == 1))"),
        ("api/pages/x.py", "delete()"),
    ],
    "bare-connection": [
        ("calib/services/x.py", "ctx.session.connection().execute(statement)"),
        ("calib/services/x.py", "Session.connection(ctx.session)"),
        ("api/x.py", "with wired.engine.connect() as reading: pass"),
        ("calib/jobs/x.py", "with self._engine.begin() as writing: pass"),
        ("instruments/services/x.py", "Session(ctx.session.bind)"),
        ("api/x.py", "LabSession(engine, info={'lab_id': 2})"),
        ("api/x.py", "from sqlalchemy import create_engine"),
        ("calib/services/x.py", "from instruments.tenancy import see_all_labs"),
        ("calib/services/x.py", "func.set_config('calib.all_labs', 'yes', True)"),
    ],
    "sql-text": [
        ("calib/services/x.py", "from sqlalchemy import text"),
        ("api/x.py", "import sqlalchemy\nsqlalchemy.text('SELECT 1')"),
        ("calib/jobs/x.py", "connection.exec_driver_sql('VACUUM')"),
    ],
    "float": [
        ("calib/services/x.py", "value = float(reading.value)"),
        ("api/pages/x.py", "value = float(form['value'])"),
    ],
    "environment": [
        ("calib/services/x.py", "import os\nos.environ['CALIB_DATA']"),
        ("api/app.py", "import os\nos.getenv('CALIB_DATA')"),
        ("calib/x.py", "from os import environ"),
    ],
}
PASSES = {
    "clock": [
        ("api/bootstrap.py", "datetime.now(UTC)"),
        ("calib/jobs/clock.py", "datetime.now(UTC)"),
        ("calib/x.py", "time.monotonic(); context.now; datetime.fromisoformat(t)"),
    ],
    "evaluation": [("calib/x.py", "re.compile('a'); compiler.compile(); evaluate()")],
    "commit": [
        ("api/deps.py", "session.commit()"),
        ("calib/services/issue.py", "session.commit()"),
    ],
    "unscoped": [
        ("instruments/records/x.py", "LabScoped.__table__"),
        ("calib/services/x.py", "rows.insert(0, row); session.add_all(rows)"),
    ],
    "bulk": [
        ("instruments/services/x.py", "delete(Challenge)"),
        ("calib/services/x.py", "rows.update(found); ctx.session.delete(row)"),
        ("calib/keeping/x.py", "update(Lab)"),
        ("calib/services/x.py", "update(Key)  # house: bulk -- two at once get one yes"),
    ],
    "bare-connection": [
        ("instruments/tenancy.py", "Session.connection(session)"),
        ("calib/keeping/x.py", "engine.connect()"),
        ("calib/adapters/x.py", "socket.connect(path)"),
        ("calib/services/x.py", "with ctx.session.begin_nested(): pass"),
    ],
    "sql-text": [
        ("instruments/db.py", "from sqlalchemy import text"),
        ("calib/x.py", "finding.text(); label.text('zh')"),
    ],
    "float": [("calib/evaluation/x.py", "float(reading.value)"), ("api/x.py", "x: float = 1.0")],
    "environment": [("api/settings.py", "import os\nos.environ.get('CALIB_DATA')")],
}


@pytest.mark.parametrize("name", LINTS)
def test_lint_holds(name: str):
    objections = [line for source in sources(*HOUSES) for line in LINTS[name].objections(source)]
    assert not objections, report(objections)


@pytest.mark.parametrize(
    ("name", "path", "text"), [(name, *bite) for name, bites in BITES.items() for bite in bites]
)
def test_lint_bites(name: str, path: str, text: str):
    assert LINTS[name].objections(Source(path, text))


@pytest.mark.parametrize(
    ("name", "path", "text"), [(name, *case) for name, cases in PASSES.items() for case in cases]
)
def test_lint_lets_pass(name: str, path: str, text: str):
    assert not LINTS[name].objections(Source(path, text))


def test_every_lint_is_shown_to_bite():
    assert BITES.keys() == PASSES.keys() == LINTS.keys()


def test_an_excuse_needs_the_name_of_the_lint_and_a_reason():
    lint = LINTS["float"]
    assert not lint.objections(
        Source("api/x.py", "float(x)  # house: float -- a slider, no reading")
    )
    assert lint.objections(Source("api/x.py", "float(x)  # house: float"))
    assert lint.objections(Source("api/x.py", "float(x)  # house: clock -- another lint"))
