"""What the program and its plug-ins know of governing documents; read once per process."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from instruments.catalogue.documents.merging import known_documents
from instruments.catalogue.documents.reading import load_register
from instruments.catalogue.documents.values import Comparison, Document, Register
from instruments.catalogue.loader import Catalogue, load_catalogue
from instruments.errors import NotFound


@functools.cache
def register() -> Register:
    """Return the register."""
    return load_register()


@functools.cache
def catalogue() -> Catalogue:
    """Return the types that come with the program and its plug-ins."""
    return load_catalogue()


@functools.cache
def documents() -> Mapping[str, Document]:
    """Return every document by number."""
    return known_documents(register(), catalogue().list())


def comparison(id_: str) -> Comparison:
    """Return a comparison.

    Raises
    ------
    NotFound
        There is none of this id.
    """
    for one in register().comparisons:
        if one.id == id_:
            return one
    raise NotFound(
        "comparison-unknown",
        "There is no comparison {id}. Choose one of: {known}.",
        facts={"id": id_, "known": ", ".join(c.id for c in register().comparisons)},
    )
