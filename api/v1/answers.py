"""What JSON answers share: ETags, files, import reports, and acts that happen once per key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from fastapi import Response, UploadFile

from api.problems import finding_document
from calib.services.idempotency import once
from instruments.canonical import digest
from instruments.context import Context
from instruments.services.importing import ImportReport


class Versioned(Protocol):
    """A view that carries the version of its record."""

    @property
    def version(self) -> int:
        """Return the version."""


View = TypeVar("View", bound=Versioned)


def tagged(response: Response, view: View) -> View:
    """Set the ETag a change of this record must send back as If-Match."""
    response.headers["ETag"] = f'"{view.version}"'
    return view


def once_per_key(
    ctx: Context, act: str, key: str, sent: Mapping[str, Any], do: Callable[[], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Return what `do` gives, doing it only the first time the key comes with what was sent."""
    return once(ctx, act, key, digest(sent), do)


Run = Callable[[bytes, str], ImportReport]


def import_report(
    ctx: Context,
    act: str,
    key: str | None,
    file: UploadFile,
    run: Run,
    **options: bool | int | str,
) -> Mapping[str, Any]:
    """Run an import and return its report; with a key it happens once, without it is a dry run."""
    content, name = file.file.read(), file.filename or ""

    def do() -> Mapping[str, Any]:
        report = run(content, name)
        return {
            "rows": report.rows,
            "created": report.created,
            "dry_run": key is None,
            "findings": [finding_document(f, ctx.language) for f in report.findings],
        }

    if key is None:
        return do()
    sent = {"file": name, "sha256": hashlib.sha256(content).hexdigest(), **options}
    return once_per_key(ctx, act, key, sent, do)
