"""Governing documents on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.schemas.wire import Day, Wire, Words


class NewDocumentRecord(Wire):
    """What a lab records of a document."""

    number: Words
    revision: int = Field(default=0, ge=0)
    """The newest revision the client saw; 0: none."""
    title_en: Words = ""
    title_zh: Words = ""
    status: Words
    issued_on: Day | None = None
    in_force_on: Day | None = None
    ends_on: Day | None = None
    replaces: list[Words] = Field(default_factory=list)
    replaced_by: Words = ""
    counterparts: list[Words] = Field(default_factory=list)
    source: Words
    note: Words = ""

    def entry(self) -> dict[str, Any]:
        """Return what is recorded."""
        return self.model_dump(exclude={"revision"})


class NewSupersession(Wire):
    """That another edition takes the place of a document."""

    number: Words
    revision: int = Field(default=0, ge=0)
    """The newest revision of the old edition the client saw; 0: none."""
    replaced_by: Words
    ends_on: Day | None = None
    in_force_on: Day | None = None
    title_en: Words = ""
    title_zh: Words = ""
    source: Words
    note: Words = ""

    def entry(self) -> dict[str, Any]:
        """Return what is recorded."""
        return self.model_dump(exclude={"revision"})
