"""Kinds of quantity, units and decimals as entered.

A closed table: a unit that is not in it is refused, never guessed. Conversion is exact rational
arithmetic on decimals; a float never appears. Must not know instruments, files or pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NoReturn

from instruments.errors import Invalid
from instruments.units import TABLE, Unit

MAX_LENGTH: Final = 40
MAX_EXPONENT: Final = 30
_DIGITS_OF_A_QUOTIENT: Final = 34
_EXACT: Final = Context(prec=200, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Quantity:
    """A kind of quantity and the units it may be given in, the usual one first."""

    id: str
    en: str
    """English name."""
    zh: str
    """Chinese name."""
    units: tuple[str, ...]

    def name(self, language: str) -> str:
        """Return the name in `language`; English unless it is ``zh``."""
        return self.zh if language == "zh" else self.en


_OTHER_SPELLINGS: Final = {
    r"\kilogram\metre\tothe{2}\ampere\tothe{-2}\second\tothe{-3}": "ohm",
    r"\volt\ampere\tothe{-1}": "ohm",
    r"\kilogram\metre\tothe{2}\ampere\tothe{-1}\second\tothe{-3}": "V",
    r"\kilogram\metre\tothe{-1}\second\tothe{-2}": "Pa",
    r"\newton\metre\tothe{-2}": "Pa",
    r"\mmhg": "mmHg",
    r"\deci\metre\tothe{3}": "L",
    r"\centi\metre\tothe{3}": "mL",
    r"\micron": "um",
    r"\second\tothe{-1}": "Hz",
}

UNITS: Final = MappingProxyType({unit.id: unit for unit in TABLE})
"""Every unit by id."""

QUANTITIES: Final = MappingProxyType({
    quantity.id: quantity
    for quantity in (
        Quantity("temperature", "temperature", "温度", ("degC", "K", "mK", "degF")),
        Quantity("temperature_difference", "temperature difference", "温度差",
                 ("K", "mK", "degC", "degF")),
        Quantity("relative_humidity", "relative humidity", "相对湿度", ("%RH", "%", "1")),
        Quantity("pressure", "pressure", "压力",
                 ("kPa", "Pa", "hPa", "MPa", "bar", "mmHg", "cmH2O")),
        Quantity("volume_flow", "volume flow rate", "体积流量",
                 ("mL/h", "L/min", "mL/min", "L/h", "m3/s")),
        Quantity("pressure_rate", "rate of pressure change", "压力变化率",
                 ("kPa/min", "kPa/s", "mmHg/min", "mmHg/s")),
        Quantity("volume", "volume", "体积", ("mL", "uL", "L", "m3")),
        Quantity("ratio", "ratio", "比值", ("%", "1")),
        Quantity("dimensionless", "dimensionless quantity", "无量纲量", ("1", "%")),
        Quantity("resistance", "electrical resistance", "电阻", ("ohm", "mohm", "kohm", "Mohm")),
        Quantity("current", "electric current", "电流", ("A", "mA", "uA")),
        Quantity("voltage", "voltage", "电压", ("V", "mV", "uV")),
        Quantity("deflection", "deflection per voltage", "灵敏度", ("mm/mV",)),
        Quantity("length", "length", "长度", ("m", "cm", "mm", "um")),
        Quantity("time", "time", "时间", ("s", "ms", "min", "h", "d")),
        Quantity("mass", "mass", "质量", ("kg", "g", "mg", "ug")),
        Quantity("speed", "speed", "速度", ("m/s", "mm/s")),
        Quantity("temperature_rate", "rate of temperature change", "温度变化率", ("K/s",)),
        Quantity("energy", "energy", "能量", ("J",)),
        Quantity("frequency", "frequency", "频率", ("Hz", "/min")),
        Quantity("rotational_frequency", "rotational frequency", "转速", ("r/min", "r/s")),
        Quantity("conductivity", "electrical conductivity", "电导率", ("mS/cm", "S/m")),
        Quantity("acidity", "pH", "酸度", ("pH",)),
        Quantity("level", "sound level", "声级", ("dB",)),
    )
})  # fmt: skip
"""Every kind of quantity by id."""


def unit(id_: str, *, at: str = "") -> Unit:
    """Return the unit with this id.

    Raises
    ------
    Invalid
        The table has no such unit.
    """
    found = UNITS.get(id_)
    if found is None:
        raise Invalid(
            "unit-unknown",
            "The unit {unit} is not known. Use one of: {known}.",
            at=at,
            facts={"unit": id_, "known": ", ".join(UNITS)},
        )
    return found


def convert(value: Decimal, from_: str, to: str, *, at: str = "") -> Decimal:
    """Return the same quantity in another unit; exact whenever a decimal can be.

    A quotient without an end (°F to °C) keeps 34 digits.

    Raises
    ------
    Invalid
        A unit is not known, or the two measure different things.
    """
    source, target = _pair(from_, to, at)
    ratio = source.factor / target.factor
    return _affine(value, ratio, (source.offset - target.offset) / target.factor)


def convert_difference(value: Decimal, from_: str, to: str, *, at: str = "") -> Decimal:
    """Return the same difference or uncertainty in another unit: scaled, never shifted.

    Raises
    ------
    Invalid
        A unit is not known, or the two measure different things.
    """
    source, target = _pair(from_, to, at)
    return _affine(value, source.factor / target.factor, Fraction(0))


def _pair(from_: str, to: str, at: str) -> tuple[Unit, Unit]:
    source, target = unit(from_, at=at), unit(to, at=at)
    if source.dimension != target.dimension:
        raise Invalid(
            "unit-other-quantity",
            "{from_} does not convert to {to}: they measure different quantities. "
            "Choose a unit of the same quantity.",
            at=at,
            facts={"from_": from_, "to": to},
        )
    return source, target


def _affine(value: Decimal, ratio: Fraction, shift: Fraction) -> Decimal:
    if ratio == 1 and shift == 0:
        return value
    scale, offset = _terminating(ratio), _terminating(shift)
    if scale is not None and offset is not None:
        # decimal arithmetic keeps the trailing zeros, and with them the resolution
        with localcontext(_EXACT):
            return value * scale + offset if offset else value * scale
    exact = Fraction(value) * ratio + shift
    whole = _terminating(exact)
    if whole is not None:
        return whole
    with localcontext(Context(prec=_DIGITS_OF_A_QUOTIENT)):
        return Decimal(exact.numerator) / Decimal(exact.denominator)


def _terminating(value: Fraction) -> Decimal | None:
    """Return the decimal equal to `value`, None when its expansion has no end."""
    try:
        with localcontext(_EXACT):
            return Decimal(value.numerator) / Decimal(value.denominator)
    except Inexact:
        return None


# ---------------------------------------------------------------------------------- D-SI spellings

_FACTOR = re.compile(r"\\([A-Za-z]+)(?:\\tothe\{(-?\d{1,2})\})?")
_PREFIX = re.compile("pico|nano|micro|milli|centi|deci|deca|hecto|kilo|mega|giga|tera")


def unit_from_dsi(text: str, *, at: str = "") -> Unit:
    r"""Return the unit a D-SI text such as ``\degreecelsius`` spells, in any order of factors.

    Raises
    ------
    Invalid
        The expression is malformed or spells a unit that the table does not hold.
    """
    found = _BY_DSI.get(_factors(text))
    if found is None:
        raise Invalid(
            "unit-dsi-unknown",
            "The D-SI unit {unit} is not known. Enter the value by hand in a known unit.",
            at=at,
            facts={"unit": text},
        )
    return found


def _factors(text: str) -> frozenset[tuple[str, int]]:
    """Return prefix+unit with exponent for each factor; empty when `text` is no D-SI expression."""
    powers: dict[str, int] = {}
    prefix, sign, end = "", 1, 0
    text = text.strip()
    for match in _FACTOR.finditer(text):
        if match.start() != end:
            return frozenset()
        end = match.end()
        word, power = match[1], match[2]
        if word == "per" and power is None and not prefix:
            sign = -1
        elif _PREFIX.fullmatch(word) and power is None and not prefix:
            prefix = word
        else:
            name = prefix + word
            powers[name] = powers.get(name, 0) + sign * int(power or "1")
            prefix, sign = "", 1
    if end != len(text) or prefix or sign < 0:
        return frozenset()
    return frozenset((name, power) for name, power in powers.items() if power)


# the first unit with a spelling keeps it: \percent reads as %, not %RH
_BY_DSI: Final = {
    _factors(spelling): UNITS[id_]
    for spelling, id_ in [
        *((u.dsi, u.id) for u in reversed(TABLE) if u.dsi),
        *_OTHER_SPELLINGS.items(),
    ]
}

# ------------------------------------------------------------------------------- decimals as text

_DECIMAL = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE]([+-]?\d+))?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3}){2,}(?:\.\d*)?|(?:,\d{3})+\.\d*)", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_BLANKS = re.compile(r"[\s'’]")
_NOT_FINITE = re.compile(r"[+-]?(?:s?nan\d*|inf|infinity|∞)", re.IGNORECASE)
# what a Chinese input method types for digits, point, comma and signs
_WIDE = str.maketrans("０１２３４５６７８９．。，＋－", "0123456789..,+-")
_MINUS = str.maketrans("−–—", "---")


def parse_decimal(text: object, *, at: str = "") -> Decimal:
    """Return the decimal that `text` spells, its trailing zeros kept; nothing is guessed.

    Raises
    ------
    Invalid
        Not text, not a plain decimal, not finite, or too long; the message says what to write.
    """
    if not isinstance(text, str):
        _refuse(
            "decimal-not-text",
            "Got {got}, expected a decimal as text. Write it in quotes: trailing zeros count.",
            at,
            got=f"{type(text).__name__} {text!r}"[:MAX_LENGTH],
        )
    shown = text if len(text) <= MAX_LENGTH else text[:MAX_LENGTH] + "…"
    match = _DECIMAL.fullmatch(text)
    if match is None:
        _refuse_malformed(text, shown, at)
    if len(text) > MAX_LENGTH:
        message = "{text} is longer than {limit} characters. Give the digits that were read."
        _refuse("decimal-too-long", message, at, text=shown, limit=MAX_LENGTH)
    if match[1] and abs(int(match[1])) > MAX_EXPONENT:
        message = "The exponent of {text} is beyond ±{limit}. Choose a fitting unit."
        _refuse("decimal-out-of-range", message, at, text=shown, limit=MAX_EXPONENT)
    return Decimal(text)


_MALFORMED: Final = {
    "decimal-empty": "A decimal is missing. Write digits and a point: 36.8.",
    "decimal-not-finite": "{text} is no finite number. Enter what was read, or leave the reading "
    "out.",
    "decimal-fullwidth": "{text} has full-width characters. Typed half-width it would read "
    "{plain}: type it so if right.",
    "decimal-minus": "{text} has a dash or mathematical minus. Use the hyphen-minus: {plain}.",
    "decimal-comma": "{text} has a comma; use a point: {plain}. Thousands are not separated.",
    "decimal-grouped": "{text} has spaces or separators. Leave them out: {plain}.",
    "decimal-malformed": "{text} is no decimal. Write digits and a point: 36.8.",
}


def _refuse_malformed(text: str, shown: str, at: str) -> NoReturn:
    plain = text.translate(_WIDE)
    code = "decimal-malformed"
    if not text.strip():
        code = "decimal-empty"
    elif _NOT_FINITE.fullmatch(text.strip()):
        code = "decimal-not-finite"
    elif plain != text:
        code = "decimal-fullwidth"
    elif _DECIMAL.fullmatch(text.translate(_MINUS)):
        code, plain = "decimal-minus", text.translate(_MINUS)
    elif _GROUPED.fullmatch(text) or _DECIMAL.fullmatch(_BLANKS.sub("", text)):
        code, plain = "decimal-grouped", _BLANKS.sub("", text).replace(",", "")
    elif _COMMA.fullmatch(text):
        code, plain = "decimal-comma", text.replace(",", ".")
    _refuse(code, _MALFORMED[code], at, text=shown, plain=plain[:MAX_LENGTH])


def _refuse(code: str, message: str, at: str, **facts: object) -> NoReturn:
    raise Invalid(code, message, at=at, facts=facts)


def decimals(text: str, *, at: str = "") -> int:
    """Return the number of decimal places written: 2 for ``20.10``, 4 for ``5.1e-3``.

    Raises
    ------
    Invalid
        As `parse_decimal`.
    """
    exponent = parse_decimal(text, at=at).as_tuple().exponent
    return max(0, -int(exponent))
