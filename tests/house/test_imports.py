"""The twelve import rules hold, and each of them bites."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import HOUSES, ROOT, report, sources

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

# one forbidden import for each rule: file, import, the rule that must object
BREAKS = [
    ("instruments/text.py", "import calib.engine.errors", "1 houses"),
    ("calib/records/work.py", "import calib.services.ports", "2 calib floors"),
    ("instruments/procedure.py", "import instruments.catalogue.loader", "3 registry floors"),
    ("calib/engine/rounding.py", "import calib.engine.propagation", "4 engine floors"),
    ("calib/engine/coverage.py", "import pydantic", "5 engine alone"),
    ("calib/certificates/document.py", "import sqlalchemy", "6 pure core"),
    ("calib/evaluation/inputs.py", "import fontTools", "7 plain values"),
    ("calib/certificates/drafting.py", "import calib.records.work", "8 documents apart"),
    ("api/schemas/__init__.py", "import calib.engine.coverage", "9 thin doors"),
    ("api/v1/__init__.py", "import api.pages", "10 doors apart"),
    ("api/problems.py", "import calib.adapters.files", "11 one wiring place"),
    ("api/settings.py", "import api.bootstrap", "12 no knots"),
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def broken(output: str) -> set[str]:
    """Return the rules that object, by number and first words."""
    return set(re.findall(r"^(\d+ [^:\n]+).* BROKEN", output, re.MULTILINE))


def test_the_import_rules_hold():
    run = lint_imports(ROOT)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "12 kept, 0 broken" in run.stdout


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what the rules say of a copy with every forbidden import of the list in it."""
    folder = tmp_path_factory.mktemp("spoiled")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for source in sources(*HOUSES):
        copy = folder / source.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.text, "utf-8")
    for path, statement, _ in BREAKS:
        with (folder / path).open("a", encoding="utf-8") as copy:
            copy.write(f"\n{statement}\n")
    (folder / "calib" / "attic").mkdir()
    (folder / "calib" / "attic" / "__init__.py").touch()
    return lint_imports(folder).stdout


@pytest.mark.parametrize(("path", "statement", "rule"), BREAKS)
def test_a_forbidden_import_is_caught(spoiled: str, path: str, statement: str, rule: str):
    assert any(line.startswith(rule) for line in broken(spoiled)), spoiled
    importer = path.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    imported = statement.removeprefix("import ")
    if rule != "12 no knots":  # that rule speaks of packages
        assert re.search(rf"{importer} (->|is not allowed to import) .*{imported}", spoiled), (
            spoiled
        )


def test_a_package_without_a_floor_is_caught(spoiled: str):
    assert "- calib.attic" in spoiled


def test_the_engine_needs_nothing_but_numpy_and_scipy():
    allowed = {"numpy", "scipy", "__future__"} | sys.stdlib_module_names
    found = []
    for source in sources("calib/engine"):
        for node in ast.walk(source.tree):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            found += [
                f"{source.path} imports {m}"
                for m in modules
                if m.split(".")[0] not in allowed and not m.startswith("calib.engine")
            ]
    assert not found, report(found)
