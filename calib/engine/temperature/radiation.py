"""Radiation thermometry: signal of a black body, emissivity, background, instrument setting.

One form serves all models: S(T) = P/(exp(q/(a T + b)) - 1). Planck's law has a = 1, b = 0, the
Sakuma-Hattori equation a = A, b = B, q = c2. This module must not know instruments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calib.engine.errors import OutOfRange
from calib.engine.temperature.answers import Answer, BoolArray, FloatArray, require, vector
from calib.engine.types import require_finite

_MOST = 1.2
"""Highest setting: some instruments can be set above 1 to correct their reading."""


@dataclass(frozen=True, slots=True)
class Constants:
    """Constants of radiation; the defaults are exact in the SI of 2019.

    Attributes
    ----------
    h, k, c : float
        Planck and Boltzmann constants and speed of light, J s, J/K, m/s.
    c2 : float or None
        Second radiation constant in m K when it is not h c/k, as 0.014388 of the ITS-90.
    """

    h: float = 6.62607015e-34
    k: float = 1.380649e-23
    c: float = 299792458.0
    c2: float | None = None

    def __post_init__(self) -> None:
        for name in ("h", "k", "c", "c2"):
            value = getattr(self, name)
            require_finite("the constants", **{name: value})
            if value is not None and value <= 0:
                raise OutOfRange(f"The constant {name} must be positive.", {"name": name})

    @property
    def second(self) -> float:
        """Second radiation constant in m K."""
        return self.h * self.c / self.k if self.c2 is None else self.c2


SI = Constants()


@dataclass(frozen=True, slots=True)
class BlackBody:
    """Signal of a black body over temperature, P/(exp(q/(a T + b)) - 1).

    Attributes
    ----------
    P : float
        Factor, unit of the signal.
    q, a, b : float
        In units that make q/(a T + b) a number.
    """

    P: float
    q: float
    a: float = 1.0
    b: float = 0.0

    def __post_init__(self) -> None:
        require_finite("a black body", P=self.P, q=self.q, a=self.a, b=self.b)
        if not min(self.P, self.q, self.a) > 0:
            msg = "The wavelength and the coefficients A and C must be positive."
            raise OutOfRange(msg, {"P": self.P, "q": self.q, "a": self.a})

    @classmethod
    def at_wavelength(cls, wavelength: float, constants: Constants = SI) -> BlackBody:
        """Planck's law per wavelength in m: W m^-3 sr^-1."""
        _positive("wavelength", wavelength)
        first = 2 * constants.h * constants.c**2
        return cls(first / wavelength**5, constants.second / wavelength)

    @classmethod
    def at_wavenumber(cls, wavenumber: float, constants: Constants = SI) -> BlackBody:
        """Planck's law per wavenumber in 1/m: W m^-1 sr^-1."""
        _positive("wavenumber", wavenumber)
        first = 2 * constants.h * constants.c**2
        return cls(first * wavenumber**3, constants.second * wavenumber)

    @classmethod
    def sakuma_hattori(
        cls, A: float, B: float, C: float = 1.0, constants: Constants = SI
    ) -> BlackBody:
        """Sakuma-Hattori equation with A in um and B in um K."""
        return cls(C, constants.second * 1e6, A, B)

    @classmethod
    def of_band(cls, low: float, high: float, constants: Constants = SI) -> BlackBody:
        """Sakuma-Hattori equation of a flat response from one wavelength to another, in um."""
        if not 0 < low < high:
            msg = f"A band needs 0 < low < high, got {low} to {high}."
            raise OutOfRange(msg, {"low": low, "high": high})
        centre, width = (low + high) / 2, high - low
        B = constants.second * 1e6 * width**2 / (24 * centre**2)
        return cls.sakuma_hattori(centre * (1 - width**2 / (2 * centre**2)), B, 1.0, constants)

    def signal(self, T: ArrayLike, name: str = "T") -> Answer:
        """Signal of a black body.

        Parameters
        ----------
        T : (n,) array_like, K
            Temperatures.
        name : str
            What a refusal calls them.

        Returns
        -------
        Answer
            S and dS/dT.

        Raises
        ------
        OutOfRange
            A temperature not above 0 K or so low that no signal is left.
        """
        x = vector(name, T)
        z = self.a * x + self.b
        require((x > 0) & (z > 0), name, x, "K is not above absolute zero or the model's own zero.")
        e = np.exp(-self.q / z)
        S = self.P * e / -np.expm1(-self.q / z)
        require(S > 0, name, x, "K leaves no signal in double precision.")
        return Answer(S, S * self.q * self.a / z**2 / -np.expm1(-self.q / z), _nowhere(x))

    def temperature(self, signal: ArrayLike) -> Answer:
        """Temperature of a black body.

        Parameters
        ----------
        signal : (n,) array_like
            Signals, all positive.

        Returns
        -------
        Answer
            T in K and dT/dS.

        Raises
        ------
        OutOfRange
            A signal that no black body gives.
        """
        S = vector("signal", signal)
        require(S > 0, "signal", S, "must be positive.")
        with np.errstate(over="ignore"):
            T = (self.q / np.log1p(self.P / S) - self.b) / self.a
        require(T > 0, "signal", S, "is less than that of any temperature above 0 K.")
        return Answer(T, 1 / self.signal(T).sensitivity, _nowhere(S))


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise OutOfRange(f"The {name} must be positive, got {value:g}.", {name: value})


def _nowhere(x: FloatArray) -> BoolArray:
    return np.zeros(x.shape, bool)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What an instrument sees, and what it takes it for; numbers, or one for each temperature.

    Attributes
    ----------
    emissivity : float or (n,) array_like
        Of the source, 0 to 1.
    background : float or (n,) array_like
        Radiation temperature of what the source reflects, K.
    setting : float or (n,) array_like
        Emissivity the instrument is set to.
    reflected : float or (n,) array_like or None
        Temperature the instrument takes for what is reflected, K; None: the background itself.
        An instrument without such a setting takes that of its detector. No effect at setting 1.
    size_of_source : float or (n,) array_like
        Share of the signal that comes from the source, relative to the source it was adjusted
        with; the rest comes from the background.
    """

    emissivity: ArrayLike
    background: ArrayLike
    setting: ArrayLike = 1.0
    reflected: ArrayLike | None = None
    size_of_source: ArrayLike = 1.0

    def __post_init__(self) -> None:
        for name, most in (("emissivity", 1.0), ("size_of_source", 1.0), ("setting", _MOST)):
            x = vector(name, getattr(self, name))
            require((x > 0) & (x <= most), name, x, f"must be above 0 and at most {most:g}.")


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A view with its signals."""

    e: FloatArray
    i: FloatArray
    emissivity: FloatArray
    size: FloatArray
    around: Answer
    taken: Answer

    @classmethod
    def of(cls, body: BlackBody, view: View) -> _Scene:
        emissivity = vector("emissivity", view.emissivity)
        size = vector("size_of_source", view.size_of_source)
        reflected = view.background if view.reflected is None else view.reflected
        return cls(
            emissivity * size,
            vector("setting", view.setting),
            emissivity,
            size,
            body.signal(view.background, "background"),
            body.signal(reflected, "reflected"),
        )


def expected_indication(body: BlackBody, T: ArrayLike, view: View) -> Answer:
    """Give what a perfect instrument shows at a source.

    Parameters
    ----------
    body : BlackBody
        Signal of the instrument at a black body.
    T : (n,) array_like, K
        Temperatures of the source.
    view : View
        Emissivity and background of the source, setting of the instrument.

    Returns
    -------
    Answer
        Indicated T in K and its derivative with respect to T; aside those with respect to
        emissivity, background, setting, reflected and size_of_source.

    Raises
    ------
    OutOfRange
        Temperatures or settings that make no signal.

    Notes
    -----
    Source: e S(T) + (1 - e) S(T_w) = e_i S(T_ind) + (1 - e_i) S(T_r), the measurement equation of
    radiation thermometers below the silver point (Saunders et al., Int. J. Thermophys. 29 (2008)
    1066). The detector's own radiation is on both sides and cancels.
    Checked against: tests/reference/radiation.toml.
    Limits: opaque grey source, uniform background, an instrument free of other faults.
    """
    s, source = _Scene.of(body, view), body.signal(T)
    around, taken = s.around.values, s.taken.values
    S = (s.e * source.values + (1 - s.e) * around - (1 - s.i) * taken) / s.i
    x = np.broadcast_to(vector("T", T), S.shape)
    require(S > 0, "T", x, "K gives a signal below that of any indication at this setting.")
    answer = body.temperature(S)
    slope = answer.sensitivity / s.i
    with_e = slope * (source.values - around)
    aside = {
        "emissivity": with_e * s.size,
        "size_of_source": with_e * s.emissivity,
        "background": slope * (1 - s.e) * s.around.sensitivity,
        "setting": slope * (taken - S),
        "reflected": slope * (s.i - 1) * s.taken.sensitivity,
    }
    return Answer(answer.values, slope * s.e * source.sensitivity, _nowhere(S), aside)


def source_temperature(body: BlackBody, T: ArrayLike, view: View) -> Answer:
    """Temperature of a source at which a perfect instrument shows an indication.

    Parameters
    ----------
    body : BlackBody
        Signal of the instrument at a black body.
    T : (n,) array_like, K
        Indications.
    view : View
        As of `expected_indication`.

    Returns
    -------
    Answer
        T of the source in K and its derivative with respect to the indication; aside as of
        `expected_indication`.

    Raises
    ------
    OutOfRange
        Indications or settings that no source gives.

    Notes
    -----
    Source: as of `expected_indication`, solved for the source.
    Checked against: tests/reference/radiation.toml.
    Limits: as of `expected_indication`.
    """
    s, shown = _Scene.of(body, view), body.signal(T)
    around, taken = s.around.values, s.taken.values
    S = (s.i * shown.values + (1 - s.i) * taken - (1 - s.e) * around) / s.e
    x = np.broadcast_to(vector("T", T), S.shape)
    require(S > 0, "T", x, "K cannot be shown with this emissivity and background.")
    source = body.temperature(S)
    slope = source.sensitivity / s.e
    with_e = slope * (around - S)
    aside = {
        "emissivity": with_e * s.size,
        "size_of_source": with_e * s.emissivity,
        "background": slope * (s.e - 1) * s.around.sensitivity,
        "setting": slope * (shown.values - taken),
        "reflected": slope * (1 - s.i) * s.taken.sensitivity,
    }
    return Answer(source.values, slope * s.i * shown.sensitivity, _nowhere(S), aside)
