"""The plug-in of the documentation: built, installed beside the program, seen; broken, it stops."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from instruments.catalogue.loader import load_catalogue, read_file

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "acme_types"
FILE = Path("acme_types") / "fridge.toml"
ID = "acme.refrigerator_thermometer"
SEEN = """
import json
from instruments.catalogue.loader import load_catalogue
from instruments.errors import Invalid
try:
    print(json.dumps({t.id: t.name.zh for t in load_catalogue().list()}))
except Invalid as stop:
    print(json.dumps({"code": stop.code, "findings": [f.text() for f in stop.findings]}))
"""


@pytest.fixture
def project(tmp_path) -> Path:
    """Return a copy of the example."""
    return shutil.copytree(EXAMPLE, tmp_path / "project")


def run(*command: str, at: Path) -> None:
    done = subprocess.run(command, cwd=at, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def installed(project: Path) -> Path:
    """Build the wheel, install it without a network, and return the folder it went to."""
    target, uv = project / "target", str(Path(sys.executable).with_name("uv"))
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", at=project)
    (wheel,) = (project / "dist").glob("*.whl")
    offline = ("--offline", "--no-cache", "--no-index", "--no-deps")
    run(uv, "pip", "install", *offline, "--target", str(target), str(wheel), at=project)
    return target


def seen_with(target: Path) -> dict:
    """Return what a new process sees with the folder on its path."""
    path = os.pathsep.join((str(target), str(ROOT)))
    answer = subprocess.run(
        [sys.executable, "-c", SEEN], env={**os.environ, "PYTHONPATH": path},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(answer.stdout)


def test_the_file_of_the_example_has_no_findings():
    assert read_file(EXAMPLE / FILE).findings == ()
    assert (EXAMPLE / "acme_types" / "__init__.py").read_bytes() == b""


def test_the_wheel_is_built_installed_and_seen(project):
    target = installed(project)
    assert (target / FILE).read_bytes() == (EXAMPLE / FILE).read_bytes()
    seen = seen_with(target)
    assert seen[ID] == "冰箱温度计"
    assert set(seen) == {ID, *(t.id for t in load_catalogue().list())}


def test_a_broken_plug_in_stops_with_every_finding(project):
    text = (project / FILE).read_text("utf-8").replace('half_width = "0.02"', "half_width = 0.02")
    (project / FILE).write_text(text, "utf-8")
    (project / "acme_types" / "more.toml").write_text("schema = 9", "utf-8")
    seen = seen_with(installed(project))
    assert seen["code"] == "type-files-broken"
    first, second = seen["findings"]
    assert first.startswith("acme_types/fridge.toml, line ")
    assert "half_width: the number must be text in quotes" in first
    assert second.startswith("acme_types/more.toml, line 1, schema: ")


def test_a_plug_in_may_not_replace_a_version(project):
    text = (project / FILE).read_text("utf-8").replace(ID, "thermometer.infrared_ear")
    (project / FILE).write_text(text.replace('version = "1.0.0"', 'version = "1.1.0"'), "utf-8")
    (found,) = seen_with(installed(project))["findings"]
    assert "defines thermometer.infrared_ear 1.1.0" in found
