"""The command line: exit codes, one JSON document, and who may act."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from api import cli
from api.bootstrap import system_clock
from calib.services import notices
from tests.support import issuing
from tests.support.door import Door
from tests.support.issuing import ROWS
from tests.support.journey import as_table
from tests.support.mail_server import rude_server
from tests.support.terminal import Terminal

FORMATS = Path(__file__).parents[1] / "formats" / "v1"


@pytest.fixture
def door(door_at_terminal: Door, monkeypatch) -> Door:
    monkeypatch.setenv("CALIB_PUBLIC_URL", issuing.BASE)
    return door_at_terminal


@pytest.mark.parametrize("name", ["digital", "ear", "forehead", "electronic", "glass", "pump"])
def test_a_frozen_input_computes_to_the_bytes_of_its_release(calib, name):
    assert calib("compute", FORMATS / f"calibration-{name}.input.json") == 0
    assert calib.out == (FORMATS / f"calibration-{name}.result.json").read_bytes()


def given(calib: Terminal, tmp_path: Path, text: str | bytes) -> int:
    file = tmp_path / "task.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return calib("compute", file)


def test_a_list_of_tasks_gives_a_list_and_tells_a_fault_by_its_exit_code(calib, tmp_path):
    good = {"kind": "type_a", "readings": ["20.10", "20.20", "20.30"]}
    assert given(calib, tmp_path, json.dumps([good, {"kind": "none"}, good])) == 1
    first, fault, last = json.loads(calib.out)
    assert first == last
    assert first["mean"] == 20.2
    assert fault["error"]["code"] == "unknown-kind"
    assert given(calib, tmp_path, json.dumps([good])) == 0


@pytest.mark.parametrize(
    "text",
    [
        '{"kind": "type_a", "readings": [NaN, 1, 2]}',
        '{"kind": "type_a", "readings": [Infinity, 1, 2]}',
        '{"kind": "type_a", "readings": [1e400, 1, 2]}',
        '{"kind": "type_a", "readings": [true, 1, 2]}',
        '{"kind": "type_a", "readings": ["1,5", 1, 2]}',
        '{"kind": "type_a", "readings": ["１", 1, 2]}',
        '{"kind": "type_a", "kind": "fit"}',
        '{"kind": "type_a", "readings": [1, 2], "outliner": 1}',
        "{",
        "",
        b"\xff\xfe{",
    ],
    ids=["nan", "inf", "1e400", "true", "comma", "wide", "twice", "unknown", "cut", "empty", "bin"],
)
def test_a_bad_task_is_one_error_object_and_exit_code_1(calib, tmp_path, text):
    assert given(calib, tmp_path, text) == 1
    error = json.loads(calib.out)["error"]
    assert set(error) == {"code", "message", "at"}
    assert error["message"]


def test_what_a_number_says_reaches_the_engine_digit_by_digit(calib, tmp_path):
    task = (
        '{"kind": "conformity", "value": 37.30, "U": 0.10, "k": 2, "upper": 37.40, '
        '"lower": null, "rule": "guard_U"}'
    )
    assert given(calib, tmp_path, task) == 0
    assert json.loads(calib.out)["verdict"] == "pass"


@pytest.mark.parametrize(
    "arguments",
    [
        ("bogus",),
        ("compute",),
        ("compute", "/nowhere/at/all"),
        ("due", "--within", "soon"),
        ("due", "--bogus"),
        ("serve", "--port", "70000"),
        ("import", "shoes", "x.csv"),
        ("import", "readings", "x.csv"),
        ("import", "instruments", "x.csv", "--calibration", "3"),
        ("certificate", "print", "X-1"),
        (),
    ],
    ids=str,
)
def test_wrong_usage_is_exit_code_3_and_says_so(calib, arguments):
    assert calib(*arguments) == 3
    if arguments:
        assert calib.err.strip()
        assert calib.out == b""


def test_a_setting_that_cannot_be_read_is_named(calib):
    calib.patch.setenv("CALIB_SMTP_PORT", "many")
    assert calib("due") == 3
    assert "CALIB_SMTP_PORT" in calib.err
    assert "'many'" in calib.err


def test_nobody_acts_without_a_token(calib, door):
    assert calib("due") == 3
    assert "CALIB_TOKEN" in calib.err
    assert calib("due", "--token", "calib_t_" + "A" * 43) == 1
    assert "Nobody stands behind" in calib.err


def test_messages_are_chinese_where_the_terminal_is(calib, door):
    calib.patch.setenv("LANG", "zh_CN.UTF-8")
    assert calib("due") == 3
    assert "令牌" in calib.err
    calib.patch.setenv("LC_ALL", "en_GB.UTF-8")
    assert calib("due") == 3
    assert "token" in calib.err


def test_the_same_rights_hold_as_on_the_pages(calib, door):
    record = issuing.submitted(door.bench)
    token = door.token(door.bench.technician)
    assert calib("record", "review", record, "--token", token) == 1
    assert "reviewer" in calib.err


def test_a_refusal_is_told_as_json_too_where_that_is_asked(calib, door):
    token = door.token(door.bench.technician)
    assert calib("record", "submit", 987, "--token", token, "--json") == 1
    error = json.loads(calib.out)["error"]
    assert (error["code"], error["status"]) == ("not-found", 404)


def test_a_record_goes_from_its_order_to_its_certificate(calib, door, tmp_path):
    bench = door.bench
    calib.patch.setenv("CALIB_TOKEN", door.token(issuing.everybody(bench)))
    found = issuing.opened(bench)
    (tmp_path / "log.csv").write_bytes(as_table(ROWS))
    calib.patch.setenv("CALIB_TOKEN", door.token(bench.technician))
    readings = ("import", "readings", tmp_path / "log.csv", "--calibration", found.id)
    assert calib.asked(*readings, "--dry-run")["created"] == 0
    assert calib.asked(*readings)["created"] == 24
    calib.asked("record", "condition", found.id, "temperature", "21.3", "degC")
    calib.asked("record", "facts", found.id, "--performed-on", "2026-03-02")
    assert calib.asked("record", "evaluate", found.id)["result"]["verdict"] == "not_stated"
    assert calib.asked("record", "submit", found.id)["state"] == "submitted"
    assert calib("record", "show", found.id) == 0
    assert "50.020 degC  Tang" in calib.out.decode()
    calib.patch.setenv("CALIB_TOKEN", door.token(bench.reviewer))
    assert calib.asked("record", "give-back", found.id, "--reason", "once more")["state"] == "draft"
    calib.patch.setenv("CALIB_TOKEN", door.token(bench.technician))
    calib.asked("record", "submit", found.id)
    calib.patch.setenv("CALIB_TOKEN", door.token(bench.reviewer))
    calib.asked("record", "review", found.id, "--comment", "fine")
    calib.patch.setenv("CALIB_TOKEN", door.token(bench.signatory))
    calib.asked("record", "authorise", found.id)
    issued = calib.asked("certificate", "issue", found.id)
    shown = calib.asked("certificate", "show", issued["number"])
    assert (shown["id"], shown["state"]) == (issued["certificate_id"], "issued")
    for role in ("pdf", "dcc", "input", "result"):
        file = tmp_path / role
        told = calib.asked("certificate", "print", issued["number"], "--to", file, "--role", role)
        assert told["sha256"] == issued["files"][role]
        assert file.stat().st_size == told["size"]
    assert calib("certificate", "show", issued["number"], "--dcc") == 0
    assert calib.out == (tmp_path / "dcc").read_bytes()
    assert calib("compute", tmp_path / "input") == 0
    assert calib.out == (tmp_path / "result").read_bytes()
    amended = calib.asked("certificate", "amend", issued["number"], "--reason", "typing")
    assert (amended["amends_id"], amended["state"]) == (found.id, "draft")
    ended = calib.asked(
        "certificate", "withdraw", issued["number"], "--reason", "wrong item",
        "--second-person", bench.reviewer.id,
    )  # fmt: skip
    assert ended["state"] == "withdrawn"
    assert calib("certificate", "show", "HZ-JZ-2020-000009") == 1


def test_an_import_with_a_bad_row_writes_nothing_unless_the_good_rows_are_asked_for(
    calib, door, tmp_path
):
    calib.patch.setenv("CALIB_TOKEN", door.token(door.bench.technician))
    table = tmp_path / "standards.csv"
    table.write_text(
        "code,name en,name zh,serial,quantity,unit\n"
        "S-1,Bath,恒温槽,B1,temperature,degC\nS-2,Bath,恒温槽,B2,temperature,furlong\n"
    )
    assert calib("import", "standards", table, "--json") == 1
    report = json.loads(calib.out)
    assert (report["rows"], report["created"]) == (2, 0)
    assert [f["at"] for f in report["findings"]] == ["/rows/3/unit"]
    assert calib("import", "standards", table, "--partial") == 0
    assert "1 written" in calib.out.decode()


def test_a_new_installation_begins_with_a_lab_its_manager_and_a_token(calib):
    calib.patch.setenv("CALIB_NEW_PASSWORD", "long enough to keep")
    calib.patch.setenv("CALIB_PASSWORD", "long enough to keep")
    lab = calib.asked("lab", "new", "HZ", "--name-en", "Institute", "--name-zh", "所")
    assert lab["code"] == "HZ"
    named = ("--email", "m@example.org", "--name", "Ma", "--role", "manager")
    assert calib("person", "new", *named, "--lab", "XX") == 1
    assert "XX" in calib.err
    calib.asked("person", "new", *named, "--lab", "HZ")
    made = calib.asked("person", "token", "--email", "m@example.org", "--lab", "HZ")
    calib.patch.setenv("CALIB_TOKEN", made["token"])
    assert calib.asked("due", "--within", "6w") == []
    assert calib.asked("instrument", "find", "x") == []
    calib.patch.setenv("CALIB_PASSWORD", "not the one it is")
    assert calib("person", "token", "--email", "m@example.org", "--lab", "HZ") == 1


def test_somebody_with_an_account_is_appointed_in_a_second_lab(calib):
    calib.patch.setenv("CALIB_NEW_PASSWORD", "long enough to keep")
    calib.patch.setenv("CALIB_PASSWORD", "long enough to keep")
    for code in ("HZ", "SH"):
        calib.asked("lab", "new", code, "--name-en", "Institute", "--name-zh", "所")
    mail = ("--email", "m@example.org")
    calib.asked("person", "new", *mail, "--name", "Ma", "--role", "manager", "--lab", "HZ")
    assert calib("person", "token", *mail, "--lab", "SH") == 1
    calib.asked("person", "appoint", *mail, "--lab", "SH", "--role", "manager")
    assert calib.asked("person", "token", *mail, "--lab", "SH")["token"]
    stranger = ("--email", "x@example.org", "--lab", "SH", "--role", "manager")
    assert calib("person", "appoint", *stranger) == 1
    assert "calib person new" in calib.err


def test_a_port_that_is_taken_is_told_before_anything_is_built(calib, tmp_path):
    with rude_server(b"") as port:
        folder = tmp_path / "world"
        assert calib("demo", "--folder", folder, "--port", port) == 3
        assert str(port) in calib.err
        assert not folder.exists()
        assert calib("serve", "--port", port) == 3


def test_doctor_tells_settings_and_what_is_wrong(calib, door):
    notices.make_notices(door.bench.engine, system_clock)
    calib.patch.setattr("api.doctor.is_up_to_date", lambda _engine: True)
    report = calib.asked("doctor")
    assert {row["variable"] for row in report["settings"]} >= {"CALIB_DATA", "CALIB_DATABASE_URL"}
    assert {row["name"] for row in report["checks"]} >= {
        "versions", "database", "catalogue", "fonts", "disk", "mail", "clock",
    }  # fmt: skip
    assert all(row["good"] for row in report["checks"]), report["checks"]


def test_doctor_tells_what_lies_undone(calib, door):
    calib.patch.setattr("api.doctor.is_up_to_date", lambda _engine: True)
    assert calib("doctor", "--json") == 1
    work = next(row for row in json.loads(calib.out)["checks"] if row["name"] == "work")
    assert "nobody is being reminded" in work["words"]
    calib.patch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert calib("doctor") == 1
    assert "没有人会收到提醒" in calib.out.decode()


def test_doctor_says_what_to_do_where_something_is_wrong(calib, tmp_path):
    calib.patch.setenv("CALIB_DATABASE_URL", f"sqlite:///{tmp_path / 'no' / 'such' / 'calib.db'}")
    calib.patch.setenv("CALIB_SMTP_PASSWORD", "hidden away")
    calib.patch.setenv("CALIB_PUBLIC_URL", "http://calib.example.org")
    assert calib("doctor", "--json") == 1
    report = json.loads(calib.out)
    assert {row["name"] for row in report["checks"] if not row["good"]} == {"database", "address"}
    assert b"hidden away" not in calib.out


def commands(group=None, prefix: str = "calib") -> list[str]:
    group = group or typer.main.get_command(cli.app)
    found = []
    for name, command in group.commands.items():
        inner = getattr(command, "commands", None)
        found += commands(command, f"{prefix} {name}") if inner else [f"{prefix} {name}"]
    return found


def test_every_command_is_told_in_the_manual_and_says_what_it_does():
    manual = (Path(__file__).parents[2] / "docs" / "operate" / "command-line.md").read_text("utf-8")
    told = [line for line in manual.splitlines() if "calib " in line]
    missing = [
        command
        for command in commands()
        if not any(all(word in line for word in command.split()) for line in told)
    ]
    assert not missing


@pytest.mark.parametrize(
    "asked",
    ["due", "fsck", "backup BACKUP", "export HZ OUT", "keys list", "keys trust",
     "certificate recover", "restore --acknowledge --by Li --by Chen",
     "lab suspend HZ --reason closed"],
)  # fmt: skip
def test_a_folder_with_no_installation_gets_none_by_asking(calib, tmp_path, asked):
    calib.patch.chdir(tmp_path)
    calib.patch.setenv("CALIB_DATA", str(tmp_path / "elsewhere"))
    calib.patch.setenv("CALIB_TOKEN", "calib_t_none")
    assert calib(*asked.split()) == 3
    assert f"There is no installation in {tmp_path / 'elsewhere'}" in calib.err
    assert not (tmp_path / "elsewhere").exists()
