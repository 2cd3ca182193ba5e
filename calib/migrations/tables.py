"""Every table of both houses in one place: importing a module of records registers its tables."""

from __future__ import annotations

import importlib
from typing import Final

from sqlalchemy import MetaData

from instruments.db import Base

_RECORDS: Final = (
    "instruments.records.audit",
    "instruments.records.competence",
    "instruments.records.factors",
    "instruments.records.counters",
    "instruments.records.instruments",
    "instruments.records.links",
    "instruments.records.mandates",
    "instruments.records.methods",
    "instruments.records.models",
    "instruments.records.orders",
    "instruments.records.passkeys",
    "instruments.records.identities",
    "instruments.records.parties",
    "instruments.records.scope",
    "instruments.records.sites",
    "instruments.records.standards",
    "calib.records.calibrations",
    "calib.records.certificates",
    "calib.records.keys",
    "calib.records.log",
    "calib.records.oversight",
    "calib.records.webhooks",
    "calib.records.signatures",
    "calib.records.work",
)


def all_tables() -> MetaData:
    """Return the metadata that holds every table."""
    for module in _RECORDS:
        importlib.import_module(module)
    return Base.metadata
