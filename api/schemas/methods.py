"""Methods of the lab on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from api.schemas.wire import Wire, Words

Text = Annotated[str, StringConstraints(max_length=300_000)]
Figure = str | int | bool | list[str] | dict[str, str | dict[str, str]] | None
"""Decimals are text, counts whole numbers; null takes a key or an item out."""


class NewMethod(Wire):
    """What a draft starts from; without a version, from what the lab uses now."""

    type_id: Words
    version: Words = ""


class NewText(Wire):
    """The whole definition as TOML."""

    text: Text


class NewFigures(Wire):
    """Figures by their place in the text, a JSON pointer; ``/-`` adds an item at the end."""

    changes: dict[str, Figure] = Field(min_length=1, max_length=2000)


class Remark(Wire):
    """What the second person says; may be empty."""

    remark: Words = ""
