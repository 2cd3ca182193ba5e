"""Customers, sites, models, instruments and instrument types as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, UploadFile

from api.deps import ImportKey, Reading, VersionSeen, Wired, Writing, allows, types_of
from api.schemas.registry import (
    CustomerChange,
    InstrumentChange,
    ModelChange,
    NewInstrument,
    NewSite,
    NewStatus,
    NewTransfer,
    SiteChange,
)
from api.schemas.wire import Day
from api.strict_routes import StrictRoute
from api.v1.answers import import_report, tagged
from calib.services import lookup
from instruments.services import customers, importing, instruments, models, sites, transfers

router = APIRouter(tags=["registry"], route_class=StrictRoute)


@router.get("/types", dependencies=allows("type.read"))
def list_types(ctx: Reading, wired: Wired) -> list[dict[str, Any]]:
    """Return every instrument type with its digest."""
    return [
        {"id": t.id, "version": t.version, "name": t.name.as_dict(), "digest": t.digest()}
        for t in types_of(ctx, wired).list()
    ]


@router.get("/types/{type_id}", dependencies=allows("type.read"))
def get_type(type_id: str, ctx: Reading, wired: Wired) -> dict[str, Any]:
    """Return the whole definition of a type."""
    return types_of(ctx, wired).get(type_id).as_dict()


@router.get("/customers", dependencies=allows("customer.read"))
def list_customers(ctx: Reading) -> tuple[customers.CustomerView, ...]:
    """Return the customers the actor may see."""
    return customers.list_customers(ctx)


@router.post("/customers", status_code=201, dependencies=allows("customer.write"))
def create_customer(
    body: CustomerChange, ctx: Writing, response: Response
) -> customers.CustomerView:
    """Register a customer."""
    return tagged(response, customers.create_customer(ctx, **body.given()))  # type: ignore[arg-type]


@router.get("/customers/{customer_id}", dependencies=allows("customer.read"))
def get_customer(customer_id: int, ctx: Reading, response: Response) -> customers.CustomerView:
    """Return a customer."""
    return tagged(response, customers.get_customer(ctx, customer_id))


@router.patch("/customers/{customer_id}", dependencies=allows("customer.write"))
def update_customer(
    customer_id: int, body: CustomerChange, version: VersionSeen, ctx: Writing, response: Response
) -> customers.CustomerView:
    """Change what is named of a customer."""
    view = customers.update_customer(ctx, customer_id, version, **body.given())  # type: ignore[arg-type]
    return tagged(response, view)


@router.get("/sites", dependencies=allows("site.read"))
def list_sites(ctx: Reading, customer_id: int | None = None) -> tuple[sites.SiteView, ...]:
    """Return the sites the actor may see."""
    return sites.list_sites(ctx, customer_id)


@router.post("/sites", status_code=201, dependencies=allows("site.write"))
def create_site(body: NewSite, ctx: Writing, response: Response) -> sites.SiteView:
    """Register a site of a customer."""
    return tagged(response, sites.create_site(ctx, **body.given()))  # type: ignore[arg-type]


@router.get("/sites/{site_id}", dependencies=allows("site.read"))
def get_site(site_id: int, ctx: Reading, response: Response) -> sites.SiteView:
    """Return a site."""
    return tagged(response, sites.get_site(ctx, site_id))


@router.patch("/sites/{site_id}", dependencies=allows("site.write"))
def update_site(
    site_id: int, body: SiteChange, version: VersionSeen, ctx: Writing, response: Response
) -> sites.SiteView:
    """Change what is named of a site."""
    view = sites.update_site(ctx, site_id, version, **body.given())  # type: ignore[arg-type]
    return tagged(response, view)


@router.get("/models", dependencies=allows("model.browse"))
def list_models(ctx: Reading) -> tuple[models.ModelView, ...]:
    """Return every model of the lab."""
    return models.list_models(ctx)


@router.post("/models", status_code=201, dependencies=allows("model.write"))
def create_model(
    body: ModelChange, ctx: Writing, wired: Wired, response: Response
) -> models.ModelView:
    """Register a model of an instrument type."""
    view = models.create_model(ctx, catalogue=types_of(ctx, wired), **body.given())  # type: ignore[arg-type]
    return tagged(response, view)


@router.get("/models/{model_id}", dependencies=allows("model.read"))
def get_model(model_id: int, ctx: Reading, response: Response) -> models.ModelView:
    """Return a model."""
    return tagged(response, models.get_model(ctx, model_id))


@router.patch("/models/{model_id}", dependencies=allows("model.write"))
def update_model(
    model_id: int,
    body: ModelChange,
    version: VersionSeen,
    ctx: Writing,
    wired: Wired,
    response: Response,
) -> models.ModelView:
    """Change what is named of a model."""
    view = models.update_model(
        ctx,
        model_id,
        version,
        catalogue=types_of(ctx, wired),
        **body.given(),  # type: ignore[arg-type]
    )
    return tagged(response, view)


@router.get("/instruments", dependencies=allows("instrument.read"))
def find_instruments(
    ctx: Reading,
    text: str = "",
    customer_id: int | None = None,
    site_id: int | None = None,
    due_before: Annotated[Day | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[int, Query(ge=0)] = 0,
) -> tuple[instruments.InstrumentView, ...]:
    """Return instruments, a page at a time: send the last id as `after` for the next page."""
    return instruments.find_instruments(
        ctx,
        text=text,
        customer_id=customer_id,
        site_id=site_id,
        due_before=due_before,
        limit=limit,
        after=after,
    )


@router.post("/instruments", status_code=201, dependencies=allows("instrument.write"))
def register_instrument(
    body: NewInstrument, ctx: Writing, response: Response
) -> instruments.InstrumentView:
    """Register an instrument or a lot."""
    view = instruments.register_instrument(ctx, **body.given())  # type: ignore[arg-type]
    return tagged(response, view)


@router.get("/instruments/{instrument_id}", dependencies=allows("instrument.read"))
def get_instrument(
    instrument_id: int, ctx: Reading, response: Response
) -> instruments.InstrumentView:
    """Return an instrument."""
    return tagged(response, instruments.get_instrument(ctx, instrument_id))


@router.patch("/instruments/{instrument_id}", dependencies=allows("instrument.write"))
def update_instrument(
    instrument_id: int,
    body: InstrumentChange,
    version: VersionSeen,
    ctx: Writing,
    response: Response,
) -> instruments.InstrumentView:
    """Change what is named of an instrument."""
    view = instruments.update_instrument(ctx, instrument_id, version, **body.given())  # type: ignore[arg-type]
    return tagged(response, view)


@router.post(
    "/instruments/{instrument_id}/status",
    status_code=201,
    dependencies=allows("instrument.status"),
)
def set_status(instrument_id: int, body: NewStatus, ctx: Writing) -> instruments.InstrumentView:
    """Put an instrument in or out of service."""
    return instruments.set_status(ctx, instrument_id, body.status, body.reason)


@router.post(
    "/instruments/{instrument_id}/transfer",
    status_code=201,
    dependencies=allows("instrument.transfer"),
)
def transfer_instrument(
    instrument_id: int, body: NewTransfer, version: VersionSeen, ctx: Writing, response: Response
) -> instruments.InstrumentView:
    """Pass an instrument to another customer."""
    view = transfers.transfer_instrument(ctx, instrument_id, version, **body.given())  # type: ignore[arg-type]
    return tagged(response, view)


@router.get("/instruments/{instrument_id}/transfers", dependencies=allows("instrument.read"))
def list_transfers(instrument_id: int, ctx: Reading) -> tuple[transfers.TransferView, ...]:
    """Return how an instrument changed hands."""
    return transfers.transfers_of(ctx, instrument_id)


@router.get("/instruments/{instrument_id}/history", dependencies=allows("instrument.read"))
def instrument_history(instrument_id: int, ctx: Reading) -> lookup.InstrumentHistory:
    """Return what was done to an instrument and what came of it."""
    return lookup.instrument_history(ctx, instrument_id)


@router.post("/instruments/import", dependencies=allows("registry.import"))
def import_instruments(
    file: UploadFile, key: ImportKey, ctx: Writing, wired: Wired, *, partial: bool = False
) -> Mapping[str, Any]:
    """Import instruments from CSV or XLSX; a dry run unless told otherwise."""

    def run(content: bytes, name: str) -> importing.ImportReport:
        return importing.import_instruments(
            ctx, content, name, catalogue=types_of(ctx, wired), dry_run=key is None, partial=partial
        )

    return import_report(ctx, "registry:instruments:import", key, file, run, partial=partial)
