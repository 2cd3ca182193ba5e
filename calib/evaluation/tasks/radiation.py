"""Radiation thermometers as tasks: signal and temperature of black bodies, expected indication."""

from __future__ import annotations

from typing import Any

from calib.engine.temperature.radiation import (
    BlackBody,
    Constants,
    View,
)
from calib.engine.temperature.radiation import expected_indication as expect
from calib.engine.temperature.radiation import source_temperature as look_back
from calib.evaluation.tasks.quantities import (
    Found,
    Quantity,
    read_coefficients,
    read_quantity,
    read_temperatures,
)
from calib.evaluation.tasks.reader import Fields, TaskRefused, place

MODEL_KEYS = ("model", "wavelength", "wavenumber", "coefficients", "band", "constants")
VIEW_KEYS = ("emissivity", "background", "setting", "reflected", "detector", "size_of_source")
_GIVEN = {"wavelength": "planck", "wavenumber": "planck",
          "coefficients": "sakuma_hattori", "band": "sakuma_hattori"}  # fmt: skip
_UNITS = {"wavelength": "W m^-3 sr^-1", "wavenumber": "W m^-1 sr^-1"}
_USUAL_BAND = [8.0, 14.0]
"""um; of thermometers near room temperature."""
_LONGEST_METRES = 1e-3
"""No wavelength of thermometry in metres is longer, none in micrometres shorter."""


def _body(fields: Fields, *usual: str) -> tuple[BlackBody, str, Found]:
    """Read the model: the black body, the unit of its signal, and what the result says of it."""
    given = [key for key in _GIVEN if fields.has(key)] or list(usual)
    if len(given) != 1:
        msg = f"A model needs one of {', '.join(_GIVEN)}; got {', '.join(given) or 'none'}."
        raise TaskRefused("bad-task", msg, given[1] if given else "model")
    key = given[0]
    model = fields.word("model", ("planck", "sakuma_hattori"), _GIVEN[key])
    if model != _GIVEN[key]:
        raise TaskRefused("bad-task", f"{key} does not go with model {model!r}.", key)
    constants = _constants(fields)
    with place(key):
        if key == "wavelength":
            body = BlackBody.at_wavelength(fields.number(key), constants)
        elif key == "wavenumber":
            body = BlackBody.at_wavenumber(fields.number(key), constants)
        elif key == "band":
            low, high = _band(fields)
            body = BlackBody.of_band(low, high, constants)
        else:
            c = read_coefficients(fields, {"A": None, "B": None, "C": 1.0})
            scale = _to_micrometres(c["A"])
            body = BlackBody.sakuma_hattori(c["A"] * scale, c["B"] * scale, c["C"], constants)
    told: Found = {"model": model}
    if model == "sakuma_hattori":
        told["coefficients"] = {"A": body.a, "B": body.b, "C": body.P}
    return body, _UNITS.get(key, "C"), told


def _constants(fields: Fields) -> Constants:
    if not fields.has("constants"):
        return Constants()
    names = ("h", "k", "c", "c2")
    given = Fields(fields.get("constants"), "constants", names)
    with place("constants"):
        return Constants(**{name: given.number(name) for name in names if given.has(name)})


def _to_micrometres(wavelength: float) -> float:
    return 1e6 if wavelength < _LONGEST_METRES else 1.0


def _band(fields: Fields) -> list[float]:
    if not fields.has("band"):
        return _USUAL_BAND
    band = fields.numbers("band", 2)
    if len(band) != 2:
        raise TaskRefused("bad-value", "band must be [low, high], two wavelengths.", "band")
    return [wavelength * _to_micrometres(band[1]) for wavelength in band]


def radiance_signal(fields: Fields) -> Found:
    """Signal of a black body at some temperatures."""
    body, unit, told = _body(fields)
    main = read_temperatures(fields)
    with main.placed():
        return told | main.answer(body.signal(main.kelvin), unit)


def radiance_temperature(fields: Fields) -> Found:
    """Temperature of a black body with some signals, K."""
    body, _, told = _body(fields)
    main = read_quantity(fields, "signal")
    with main.placed():
        return told | main.answer(body.temperature(main.numbers), "K")


def _view(main: Quantity) -> View:
    fields = main.fields
    if fields.has("reflected") and fields.has("detector"):
        msg = (
            "Give reflected, or detector for an instrument that reckons with its own temperature, "
            "not both: the detector's own radiation cancels."
        )
        raise TaskRefused("bad-task", msg, "detector")
    taken = next((key for key in ("reflected", "detector") if fields.has(key)), "background")
    with main.placed("emissivity", "setting", "size_of_source"):
        return View(
            main.beside("emissivity"),
            main.beside("background") + main.to_kelvin,
            main.beside("setting", 1.0),
            main.beside(taken) + main.to_kelvin,
            main.beside("size_of_source", 1.0),
        )


def _seen(fields: Fields, function: Any) -> Found:
    body, _, told = _body(fields, "band")
    main = read_temperatures(fields)
    view = _view(main)
    with main.placed("background", "reflected"):
        found = function(body, main.kelvin, view)
    return told | main.answer(found, "degC" if main.to_kelvin else "K", main.to_kelvin)


def expected_indication(fields: Fields) -> Found:
    """Give what a perfect instrument shows at a source, in the unit of the source."""
    return _seen(fields, expect)


def source_temperature(fields: Fields) -> Found:
    """Give the temperature of a source from the indication of a perfect instrument."""
    return _seen(fields, look_back)
