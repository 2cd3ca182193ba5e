"""Certificates as rows, with the events a test wants, for what only reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from calib.certificates.document import CertificateDocument
from calib.records.calibrations import Calibration, Evaluation
from calib.records.certificates import Certificate, CertificateEvent, CertificateFile
from instruments.context import Context
from instruments.services import orders
from tests.support.builders import the_catalogue, told
from tests.support.due_world import DueWorld


def an_order_of(ctx: Context, catalogue, customer: int, *instruments: int, **more):
    """Request calibrations of the instruments."""
    return orders.request(
        ctx,
        orders.OrderRequest(
            customer_id=customer,
            kind="calibration",
            decision_rule="none",
            lines=tuple(orders.LineRequest(instrument_id=i) for i in instruments),
            **more,
        ),
        catalogue=catalogue,
    )


def received(ctx: Context, order):
    """Accept an order and receive all its lines."""
    order = orders.accept(ctx, order.id, order.version)
    for line in order.lines:
        orders.receive(ctx, order.id, line.id, "undamaged")
    return orders.get_order(ctx, order.id)


def a_record(ctx: Context, line, state: str = "draft", **more) -> Calibration:
    """Add a calibration record of an order line in some state."""
    row = Calibration(
        order_line_id=line.id,
        instrument_id=line.instrument.id,
        kind="calibration",
        type_id=line.instrument.type_id,
        type_version="1.0.0",
        definition=the_catalogue().get(line.instrument.type_id).as_dict(),
        state=state,
        plan={},
        examinations={},
        accepted_warnings=[],
        opened_by=ctx.actor.person_id,
        opened_at=ctx.now,
        **more,
    )
    ctx.session.add(row)
    told(ctx.session)
    return row


def a_certificate(  # the parts of a certificate a reader sees
    ctx: Context,
    record: Calibration,
    number: str,
    *events: str,
    document: CertificateDocument | None = None,
    verdict: str = "pass",
    kind: str = "calibration_certificate",
    performed_on: date = date(2026, 2, 1),
    token: str = "",
    **more,
) -> int:
    """Add a certificate with events, each a day after the one before, and a PDF once issued."""
    evaluation = Evaluation(
        calibration_id=record.id,
        input_json="{}",
        input_digest="",
        result_json="{}",
        result_digest="",
        software="",
        person_id=ctx.actor.person_id,
        evaluated_at=ctx.now,
    )
    ctx.session.add(evaluation)
    ctx.session.flush()
    token = token or f"{number:-<22}"
    if document is not None:
        document = replace(document, number=number, token=token)
    row = Certificate(
        number=number,
        token=token,
        kind=kind,
        calibration_id=record.id,
        evaluation_id=evaluation.id,
        instrument_id=record.instrument_id,
        payload=document.canonical().decode() if document else "{}",
        payload_digest=document.digest() if document else "",
        performed_on=performed_on,
        verdict=verdict,
        reserved_by=ctx.actor.person_id,
        reserved_at=ctx.now,
        **more,
    )
    ctx.session.add(row)
    ctx.session.flush()
    for days, event in enumerate(("reserved", *events)):
        an_event(ctx, row.id, event, ctx.now + timedelta(days=days))
    if "issued" in events:
        ctx.session.add(
            CertificateFile(
                certificate_id=row.id,
                role="pdf",
                sha256="0" * 64,
                size=1,
                media_type="application/pdf",
            )
        )
    ctx.session.flush()
    return row.id


def an_event(
    ctx: Context, certificate_id: int, event: str, at: datetime, successor_id: int | None = None
) -> None:
    """Add an event of a certificate."""
    ctx.session.add(
        CertificateEvent(
            certificate_id=certificate_id,
            event=event,
            reason="" if event in ("reserved", "issued") else "typing error",
            successor_id=successor_id,
            person_id=ctx.actor.person_id,
            happened_at=at,
        )
    )
    told(ctx.session)


def certified(
    world: DueWorld, ctx: Context, catalogue, instrument: int, number: str, **more
) -> int:
    """Issue a certificate of an instrument of the station, order and all."""
    events = more.pop("events", ("issued",))
    order = received(ctx, an_order_of(ctx, catalogue, world.station, instrument))
    record = a_record(ctx, order.lines[0], "issued")
    return a_certificate(ctx, record, number, *events, **more)
