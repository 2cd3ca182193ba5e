"""The pages people open in a browser."""

from __future__ import annotations

from fastapi import APIRouter

from api.pages import (
    account,
    audit,
    authenticate,
    bench,
    bench_acts,
    board,
    budgets,
    catalogue,
    certificates,
    competence,
    correcting,
    customers,
    design,
    documents,
    entering,
    errors,
    factors,
    home,
    importing,
    keys,
    lab,
    labels,
    method_history,
    methods,
    models,
    offline,
    oversight,
    password,
    problems,
    providing,
    public,
    publiclog,
    registry,
    review,
    side,
    signing,
    standards,
    tracing,
    webhooks,
    window,
)

router = APIRouter(include_in_schema=False)
for part in (
    home, entering, providing, method_history,
    methods,  # before importing, which would take its file for a table
    importing,  # before registry and standards, which would take its address for a number
    customers, models, catalogue, correcting, registry, standards, documents,
    window, competence, lab, audit, webhooks, keys, account, factors, password,
    offline, side, labels, tracing,  # before the bench and certificates, which would take them
    bench, bench_acts, budgets, review, signing, certificates,
    board, oversight, problems, publiclog, public, authenticate, errors, design):  # fmt: skip
    router.include_router(part.router)
