"""The one window: a table, two taps, an order; a label and a word that lead there."""

from __future__ import annotations

from fastapi import APIRouter

from api.pages import bulk, glossary, orders, quick, scan

router = APIRouter(include_in_schema=False)
for part in (
    bulk, quick,  # before orders, which would take their addresses for numbers
    orders, scan, glossary,
):  # fmt: skip
    router.include_router(part.router)
