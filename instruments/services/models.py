"""Instrument models: maker, model, use, calibration mode, resolution, the maker's limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

from sqlalchemy import select

from instruments.catalogue.loader import Catalogue
from instruments.choosing import needs_resolution
from instruments.context import Context
from instruments.errors import Conflict, DomainError, Finding, Invalid
from instruments.plain import NotPlain, from_plain, to_plain
from instruments.procedure import InstrumentType, Limit
from instruments.quantities import parse_decimal
from instruments.records.instruments import Instrument
from instruments.records.models import InstrumentModel
from instruments.services import audit, fields
from instruments.services.rows import (
    change,
    check_version,
    get_row,
    not_found,
    own_customer,
)
from instruments.tenancy import hold_lab

USES = ("clinical", "industrial")


class ModelFields(TypedDict, total=False):
    """What is kept of a model; type, maker and model are needed."""

    type_id: str
    maker: str
    model: str
    use: str
    calibration_mode: str | None
    """Key sequence that opens the calibration mode; None or empty: not known."""
    calibration_mode_source: str
    attributes: Mapping[str, str]
    resolution: Mapping[str, str]
    maker_limits: Mapping[str, Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model as it stands."""

    id: int
    version: int
    type_id: str
    maker: str
    model: str
    use: str
    calibration_mode: str | None
    calibration_mode_source: str
    attributes: Mapping[str, str]
    resolution: Mapping[str, str]
    maker_limits: Mapping[str, tuple[Limit, ...]]


def create_model(ctx: Context, *, catalogue: Catalogue, **given: Unpack[ModelFields]) -> ModelView:
    """Register a model of an instrument type.

    Raises NotFound for an unknown type, Conflict when the model is registered, Invalid for fields
    the type does not allow.
    """
    ctx.need("model.write")
    values = _EMPTY | _checked(given)
    _check_against_type(values, catalogue)
    hold_lab(ctx.session, ctx.lab_id)
    _need_free(ctx, str(values["maker"]), str(values["model"]))
    row = InstrumentModel(created_at=ctx.now, **values)
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(ctx, "registry:model:create", "instrument_model", row.id, values)
    return _view(row)


def update_model(
    ctx: Context,
    model_id: int,
    version: int,
    *,
    catalogue: Catalogue,
    **changes: Unpack[ModelFields],
) -> ModelView:
    """Change what is named; the rest stays. The type of a model never changes.

    Raises NotFound, Conflict when it was changed meanwhile, Invalid for unusable fields.
    """
    ctx.need("model.write")
    row = get_row(ctx, InstrumentModel, model_id, "model")
    check_version(row, version, "model")
    values = _checked(changes)
    if values.get("type_id", row.type_id) != row.type_id:
        raise Invalid(
            "model-type-fixed",
            "The model {model} is a {type_id} and stays one. Register another model instead.",
            at="/type_id",
            facts={"model": row.model, "type_id": row.type_id},
        )
    merged = {name: getattr(row, name) for name in _EMPTY} | values
    _check_against_type(merged, catalogue)
    if (merged["maker"], merged["model"]) != (row.maker, row.model):
        hold_lab(ctx.session, ctx.lab_id)
        _need_free(ctx, str(merged["maker"]), str(merged["model"]))
    differences = change(ctx, row, values, "model")
    audit.record(ctx, "registry:model:update", "instrument_model", row.id, differences)
    return _view(row)


def get_model(ctx: Context, model_id: int) -> ModelView:
    """Return a model; a venue operator sees those of their own instruments.

    Raises NotFound when the lab has no such model or the actor may not see it.
    """
    ctx.need("model.read")
    row = get_row(ctx, InstrumentModel, model_id, "model")
    own = own_customer(ctx)
    held = select(Instrument.id).where(
        Instrument.model_id == model_id, Instrument.customer_id == own
    )
    if own is not None and ctx.session.scalars(held.limit(1)).first() is None:
        raise not_found("model", model_id)
    return _view(row)


def list_models(ctx: Context) -> tuple[ModelView, ...]:
    """Return every model of the lab, ordered by maker and model.

    Raises NotAllowed for people who are not the lab's own.
    """
    ctx.need("model.browse")
    statement = select(InstrumentModel).order_by(InstrumentModel.maker, InstrumentModel.model)
    return tuple(_view(row) for row in ctx.session.scalars(statement))


def read_limits(
    given: Mapping[str, Sequence[Mapping[str, object]]], type_: InstrumentType, at: str
) -> dict[str, list[object]]:
    """Return limits by measurand in the form they are stored.

    Raises Invalid for an unknown measurand, a limit that cannot be read or that limits nothing.
    """
    known = {m.id for m in type_.measurands}
    checked: dict[str, list[object]] = {}
    for measurand, rows in given.items():
        check_known(measurand, known, at)
        checked[measurand] = [
            to_plain(_read_limit(row, f"{at}/{measurand}/{i}")) for i, row in enumerate(rows)
        ]
    return checked


def check_known(name: str, known: set[str], at: str) -> None:
    """Refuse a name the instrument type does not have."""
    if name not in known:
        raise Invalid(
            "type-lacks-name",
            "The instrument type has no {name}. Choose one of: {known}.",
            at=f"{at}/{name}",
            facts={"name": name, "known": ", ".join(sorted(known)) or "none"},
        )


_EMPTY: dict[str, object] = {
    "type_id": "",
    "maker": "",
    "model": "",
    "use": "clinical",
    "calibration_mode": None,
    "calibration_mode_source": "",
    "attributes": {},
    "resolution": {},
    "maker_limits": {},
}


def _read_limit(row: Mapping[str, object], at: str) -> Limit:
    try:
        limit = from_plain(Limit, row)
    except NotPlain as problem:
        raise Invalid(
            "limit-malformed",
            "The limit cannot be read: {problem}. Correct it.",
            at=at + problem.at,
            facts={"problem": problem.problem},
        ) from problem
    if limit.confirmed is not None:
        raise Invalid(
            "limit-malformed",
            "The limit cannot be read: {problem}. Correct it.",
            at=f"{at}/confirmed",
            facts={"problem": "only limits of a type are confirmed, in the catalogue"},
        )
    numbers = ("lower", "upper", "plus_fraction", "plus_inverse", "plus_from",
               "plus_rating_fraction", "or_fraction", "start", "end")  # fmt: skip
    for name in numbers:
        text = getattr(limit, name)
        if text is not None:
            parse_decimal(text, at=f"{at}/{name}")
    lower, upper = limit.lower, limit.upper
    if lower is None and upper is None:
        raise Invalid(
            "limit-empty", "The limit limits nothing. Give a lower or an upper limit.", at=at
        )
    for low, high in ((lower, upper), (limit.start, limit.end)):
        if low is not None and high is not None and parse_decimal(low) > parse_decimal(high):
            raise Invalid(
                "limit-backwards",
                "The limit runs from {low} to {high}. Put the smaller value first.",
                at=at,
                facts={"low": low, "high": high},
            )
    return limit


def _checked(given: ModelFields) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in given.items():
        at = f"/{name}"
        if name in ("maker", "model"):
            values[name] = fields.words(str(value), at, required=True, limit=100)
        elif name == "use":
            values[name] = fields.choice(str(value), USES, at)
        elif name == "calibration_mode":
            values[name] = fields.words(str(value or ""), at) or None
        elif name in ("attributes", "resolution", "maker_limits") and isinstance(value, Mapping):
            values[name] = dict(value)
        else:
            values[name] = fields.words(str(value), at)
    return values


def misfits(ctx: Context, type_: InstrumentType) -> tuple[Finding, ...]:
    """Return which models of a type could not be entered as they are under this definition."""
    statement = select(InstrumentModel).where(InstrumentModel.type_id == type_.id)
    found = []
    for row in ctx.session.scalars(statement.order_by(InstrumentModel.maker, InstrumentModel.id)):
        try:
            _check_fits({name: getattr(row, name) for name in _EMPTY}, type_)
        except DomainError as problem:
            message = "{maker} {model} does not fit this definition: {problem}"
            told = Finding(problem.code, problem.message, facts=problem.facts)
            facts = {"maker": row.maker, "model": row.model, "problem": told}
            found.append(Finding("method-model-misfit", message, "error", "", facts))
    return tuple(found)


def _check_against_type(values: dict[str, object], catalogue: Catalogue) -> None:
    for name in ("maker", "model"):
        fields.words(str(values[name]), f"/{name}", required=True)
    _check_fits(values, catalogue.get(str(values["type_id"])))


def _check_fits(values: dict[str, object], type_: InstrumentType) -> None:
    _check_attributes(values["attributes"], type_)
    _check_resolution(values["resolution"], values["attributes"], type_)
    if isinstance(values["maker_limits"], Mapping):
        values["maker_limits"] = read_limits(values["maker_limits"], type_, "/maker_limits")


def _check_attributes(given: object, type_: InstrumentType) -> None:
    attributes = given if isinstance(given, Mapping) else {}
    for name in attributes:
        check_known(str(name), {*type_.variants, *type_.ratings}, "/attributes")
    for name, options in type_.variants.items():
        fields.choice(str(attributes.get(name, "")), tuple(options), f"/attributes/{name}")
    for name, rating in type_.ratings.items():
        text = attributes.get(name)
        if text:
            parse_decimal(str(text), at=f"/attributes/{name}")
        elif rating.default is None:
            raise Invalid(
                "rating-missing",
                "{label} of the model is missing. Give it in {unit}.",
                at=f"/attributes/{name}",
                facts={"label": rating.label.en, "unit": rating.unit},
            )


def _check_resolution(given: object, known: object, type_: InstrumentType) -> None:
    resolution = given if isinstance(given, Mapping) else {}
    attributes = known if isinstance(known, Mapping) else {}
    for name in resolution:
        check_known(str(name), {m.id for m in type_.measurands}, "/resolution")
    for measurand in type_.measurands:
        at = f"/resolution/{measurand.id}"
        text = resolution.get(measurand.id)
        if text is None:
            if not measurand.optional and needs_resolution(type_, measurand, attributes):
                raise Invalid(
                    "resolution-missing",
                    "The resolution of {measurand} is missing. Give the smallest step the model "
                    "shows, in {unit}.",
                    at=at,
                    facts={"measurand": measurand.id, "unit": measurand.unit},
                )
        elif parse_decimal(text, at=at) <= 0:
            raise Invalid(
                "resolution-not-positive",
                "The resolution of {measurand} is {got}; it must be greater than zero.",
                at=at,
                facts={"measurand": measurand.id, "got": text},
            )


def _need_free(ctx: Context, maker: str, model: str) -> None:
    same = select(InstrumentModel.id).where(
        InstrumentModel.maker == maker, InstrumentModel.model == model
    )
    taken = ctx.session.scalars(same).one_or_none()
    if taken is not None:
        raise Conflict(
            "model-registered",
            "{maker} {model} is registered as model {id}. Use that one.",
            at="/model",
            facts={"maker": maker, "model": model, "id": taken},
        )


def _view(row: InstrumentModel) -> ModelView:
    return ModelView(
        id=row.id,
        version=row.version,
        type_id=row.type_id,
        maker=row.maker,
        model=row.model,
        use=row.use,
        calibration_mode=row.calibration_mode,
        calibration_mode_source=row.calibration_mode_source,
        attributes=row.attributes,
        resolution=row.resolution,
        maker_limits={
            measurand: tuple(from_plain(Limit, limit) for limit in limits)
            for measurand, limits in row.maker_limits.items()
        },
    )
