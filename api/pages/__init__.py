"""The pages people open in a browser."""

from __future__ import annotations

from fastapi import APIRouter

from api.pages import (
    customers,
    home,
    importing,
    lab,
    models,
    orders,
    registry,
    standards,
)

router = APIRouter(include_in_schema=False)
for part in (
    home,
    importing,  # before registry and standards, which would take its address for a number
    customers,
    models,
    registry,
    standards,
    orders,
    lab,
):
    router.include_router(part.router)
