"""What lies at the root and goes into the wheel; nothing names a machine or a registry."""

from __future__ import annotations

import fnmatch
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.house.source import HOUSES, ROOT, report

ROOT_NAMES = {
    *HOUSES,
    "tests",
    "docs",
    "pyproject.toml",
    "requirements.lock",
    "Makefile",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
}
REGISTRIES = re.compile(
    r"pypi[.]org|pythonhosted[.]org|npmjs[.]org|index-url\s+\w+:|registry[.][a-z]+[.](com|org|cn)"
)
MACHINES = re.compile(r"(?<![\w.~/$}-])/(home|root|Users|work|mnt|opt)/[\w.]")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def ignored(name: str) -> bool:
    patterns = (ROOT / ".gitignore").read_text("utf-8").split()
    return any(fnmatch.fnmatch(name, pattern.rstrip("/")) for pattern in patterns)


def own_files() -> list[Path]:
    """Return every file that is the project's own."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not ignored(f) and f != ".git"]
        found += [Path(folder, file) for file in files if not ignored(file)]
    return sorted(found)


def own_texts() -> list[tuple[str, str]]:
    texts = []
    for file in own_files():
        try:
            texts.append((file.relative_to(ROOT).as_posix(), file.read_text("utf-8")))
        except UnicodeDecodeError:
            continue
    return texts


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def test_the_root_holds_only_what_conventions_expect():
    names = {p.name for p in ROOT.iterdir() if not p.name.startswith(".") and not ignored(p.name)}
    assert names == ROOT_NAMES


def test_no_file_names_a_registry():
    found = [f"{path}: {hit[0]}" for path, text in own_texts() if (hit := REGISTRIES.search(text))]
    assert not found, report(found)


def test_no_file_names_a_place_on_one_machine():
    found = [f"{path}: {hit[0]}" for path, text in own_texts() if (hit := MACHINES.search(text))]
    assert not found, report(found)


def test_no_secret_lies_about():
    found = [
        path
        for path, text in own_texts()
        if re.search(r"-----BEGIN [A-Z ]*PRIVATE[ ]KEY-----", text)
    ]
    assert not found, report(found)


def test_the_searches_bite():
    assert REGISTRIES.search(".".join(["https://files", "pythonhosted", "org"]))  # noqa: FLY002 -- or it finds itself
    assert REGISTRIES.search("--index-url=https://mirror".replace("=", " "))
    assert MACHINES.search("see " + "/".join(["", "home", "ada", "calib"]))  # noqa: FLY002 -- as above
    relative = "/".join(["tests", "work", "one and .", "opt", "x and $HOME", "root", "x"])  # noqa: FLY002 -- as above
    assert not MACHINES.search(relative)


def test_every_requirement_is_locked_with_hashes():
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert entries
    bare = [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert not bare, report(bare)
    locked = {re.split(r"[=\[; ]", entry)[0] for entry in entries}
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    missing = {re.split(r"[\[<>=; ]", w)[0].lower() for w in wanted} - locked
    assert not missing, f"run make lock: {missing}"


def test_no_other_lock_names_a_registry():
    assert not (ROOT / "uv.lock").exists()
    assert not list(ROOT.glob("**/package-lock.json"))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", ".ci/run"])
def test_commands_that_are_told_exist(page: str):
    text = (ROOT / page).read_text("utf-8")
    commands = re.findall(r"(?:^\s*|`)make ([a-z][a-z -]*)", text, re.MULTILINE)
    told = {word for command in commands for word in command.split()}
    assert told <= targets(), told - targets()


def test_the_two_commands_are_told():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make run" in readme
    assert "make test" in readme


def test_every_target_says_what_it_does():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    silent = [
        t for t in sorted(targets()) if not re.search(rf"^{t}:.* ## \S", makefile, re.MULTILINE)
    ]
    assert not silent, report(silent)


def test_ci_checks_and_tests():
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    commands = re.findall(r"^make ([a-z -]+)$", run.read_text("utf-8"), re.MULTILINE)
    assert {"check", "test"} <= {target for command in commands for target in command.split()}


def test_the_wheel_holds_every_file_of_the_houses(tmp_path: Path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    own = {f.relative_to(ROOT).as_posix() for f in own_files()}
    missing = sorted(f for f in own if f.startswith(HOUSES) and f not in packed)
    assert not missing, report(missing)
    assert not [f for f in packed if f.startswith(("tests", "docs"))]
