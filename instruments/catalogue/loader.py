"""The catalogue of instrument types: files from installed packages and folders, read once.

A plug-in is a wheel with TOML files and one entry point in the group ``calib.instrument_types``
whose value is the package that holds them. Knows no calibration and no database.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.resources
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from pathlib import Path

from instruments.canonical import digest
from instruments.catalogue.schema import TypeFile, read_type
from instruments.errors import Finding, Invalid, NotFound
from instruments.procedure import InstrumentType

ENTRY_POINTS = "calib.instrument_types"
OWN_TYPES = "instruments.catalogue.types"
"""The package of types that come with the program; read even from an uninstalled checkout."""


OWN_VERSION = "+lab."
"""Parts the version of a lab's own method from its revision; no file may have it."""


_NEAREST = 3


class Catalogue:
    """Every known instrument type in every known version; the newest is the default."""

    def __init__(
        self, types: Iterable[InstrumentType], texts: Mapping[tuple[str, str], str] | None = None
    ) -> None:
        """Keep the types and their files' texts; two of the same id and version are refused."""
        self._types: dict[str, dict[str, InstrumentType]] = {}
        self._texts = dict(texts or {})
        self._in_force: dict[str, str] = {}
        for type_ in types:
            versions = self._types.setdefault(type_.id, {})
            if type_.version in versions:
                raise Invalid(
                    "type-twice",
                    "The type {id} {version} is defined twice. Give one of them a new version.",
                    facts={"id": type_.id, "version": type_.version},
                )
            versions[type_.version] = type_

    def get(self, id_: str, version: str | None = None) -> InstrumentType:
        """Return the type, its newest version when none is named.

        Raises
        ------
        NotFound
            No such type, or not in this version.
        """
        versions = self._types.get(id_)
        if versions is None:
            near = get_close_matches(id_, self._types, n=_NEAREST, cutoff=0.0)
            raise NotFound(
                "type-unknown",
                "There is no instrument type {id}. Nearest in name: {known}. Correct the name; a"
                " type file is named with its ending .toml.",
                facts={"id": id_, "known": ", ".join(near) or "none"},
            )
        if version is None:
            return versions[self._in_force.get(id_) or max(versions, key=version_key)]
        if version not in versions:
            raise NotFound(
                "type-version-unknown",
                "The instrument type {id} has no version {version}. Choose one of: {known}.",
                facts={
                    "id": id_,
                    "version": version,
                    "known": ", ".join(sorted(versions, key=version_key)),
                },
            )
        return versions[version]

    def list(self) -> tuple[InstrumentType, ...]:
        """Return the newest version of each type, ordered by id."""
        return tuple(self.get(id_) for id_ in sorted(self._types))

    def versions(self, id_: str) -> tuple[str, ...]:
        """Return the versions of a type, oldest first; empty when it is not known."""
        return tuple(sorted(self._types.get(id_, ()), key=version_key))

    def text_of(self, id_: str, version: str | None = None) -> str:
        """Return the text of the file that defines a type, comments and all.

        Raises
        ------
        NotFound
            No such type or version, or none that was read from a file.
        """
        type_ = self.get(id_, version)
        if (type_.id, type_.version) not in self._texts:
            raise NotFound(
                "type-without-text",
                "The instrument type {id} {version} was not read from a file. Choose another "
                "version.",
                facts={"id": type_.id, "version": type_.version},
            )
        return self._texts[type_.id, type_.version]

    def with_methods(self, methods: Iterable[InstrumentType]) -> Catalogue:
        """Return the catalogue in which a lab's own methods are the default of their type."""
        mine = Catalogue((), self._texts)
        mine._types = {id_: dict(versions) for id_, versions in self._types.items()}
        for method in methods:
            mine._types.setdefault(method.id, {})[method.version] = method
            mine._in_force[method.id] = method.version
        return mine

    def digest(self) -> str:
        """Return the SHA-256 over all definitions; changes with any figure in any file."""
        return digest(
            {
                f"{id_}@{version}": type_.digest()
                for id_, versions in self._types.items()
                for version, type_ in versions.items()
            }
        )

    def __contains__(self, id_: object) -> bool:
        return id_ in self._types

    def __len__(self) -> int:
        return len(self._types)


def version_key(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by; a lab's own form comes after the one it rests on."""
    plain, _, revision = version.partition(OWN_VERSION)
    return *(int(part) for part in plain.split(".")), int(revision or 0)


def load_catalogue(folders: Sequence[Path] = ()) -> Catalogue:
    """Read the types that come with the program, those of plug-ins and those in `folders`.

    Raises
    ------
    Invalid
        A file or a plug-in is broken; `findings` holds every problem of every file.
    """
    findings: list[Finding] = []
    read: list[TypeFile] = []
    for package in _packages():
        try:
            files = list(_toml_files(importlib.resources.files(package)))
        except (ImportError, OSError) as problem:
            findings.append(_broken_plugin(package, problem))
            continue
        read += [_read_file(file, f"{package}/{file.name}") for file in files]
    for folder in folders:
        if not folder.is_dir():
            findings.append(_missing_folder(folder))
            continue
        read += [_read_file(file, str(file)) for file in _toml_files(folder)]
    findings += [finding for file in read for finding in file.findings]
    findings += _defined_twice(read)
    if findings:
        raise Invalid(
            "type-files-broken",
            "The instrument types cannot be read ({count} findings). First: {first}",
            facts={"count": len(findings), "first": findings[0]},
            findings=tuple(findings),
        )
    good = [(file.type, file.text) for file in read if file.type is not None]
    return Catalogue((t for t, _ in good), {(t.id, t.version): text for t, text in good})


def read_file(path: Path) -> TypeFile:
    """Return the type that a file defines, or everything that is wrong with it."""
    return _read_file(path, str(path))


def _packages() -> list[str]:
    points = importlib.metadata.entry_points(group=ENTRY_POINTS)
    others = {point.value for point in points} - {OWN_TYPES}
    return [OWN_TYPES, *sorted(others)]


def _toml_files(folder: Traversable) -> Iterator[Traversable]:
    files = (file for file in folder.iterdir() if file.name.endswith(".toml"))
    return iter(sorted(files, key=lambda file: file.name))


def _read_file(file: Traversable, shown: str) -> TypeFile:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        message = "{file} cannot be read: {problem}. Check the name."
        facts = {"file": shown, "problem": problem.strerror or str(problem)}
        return TypeFile(shown, None, (Finding("type-unreadable", message, facts=facts),))
    except UnicodeDecodeError as problem:
        message = "{file} cannot be read: {problem}. Save it as UTF-8 text."
        facts = {"file": shown, "problem": str(problem)}
        return TypeFile(shown, None, (Finding("type-unreadable", message, facts=facts),))
    return read_type(text, shown)


def _broken_plugin(package: str, problem: Exception) -> Finding:
    return Finding(
        "type-plugin-broken",
        "The plug-in package {package} cannot be read: {problem}. "
        "The entry point names the package that holds the type files; install it again.",
        facts={"package": package, "problem": str(problem)},
    )


def _missing_folder(folder: Path) -> Finding:
    message = "There is no folder {folder} to read types from. Create it or correct the setting."
    return Finding("type-folder-missing", message, facts={"folder": str(folder)})


def _defined_twice(files: Iterable[TypeFile]) -> Iterator[Finding]:
    seen: dict[tuple[str, str], str] = {}
    for file in files:
        if file.type is None:
            continue
        first = seen.setdefault((file.type.id, file.type.version), file.file)
        if first != file.file:
            facts: Mapping[str, object] = {
                "file": file.file,
                "first": first,
                "id": file.type.id,
                "version": file.type.version,
            }
            yield Finding(
                "type-twice",
                "{file} defines {id} {version}, which {first} defines already. "
                "Give it a new version or another id.",
                facts=facts,
            )
