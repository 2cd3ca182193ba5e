"""The JSON doors, version 1."""

from __future__ import annotations

from fastapi import APIRouter

from api.strict_routes import StrictRoute
from api.v1 import (
    audit,
    authenticate,
    calibrations,
    catalogue,
    certificates,
    competence,
    documents,
    keys,
    methods,
    orders,
    oversight,
    problems,
    registry,
    standards,
    today,
    webhooks,
)

router = APIRouter(prefix="/api/v1", route_class=StrictRoute)
for part in (
    registry,
    catalogue,
    standards,
    orders,
    calibrations,
    certificates,
    competence,
    documents,
    methods,
    authenticate,
    audit,
    today,
    webhooks,
    keys,
    oversight,
    problems,
):
    router.include_router(part.router)
