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

MAX_LENGTH: Final = 40
MAX_EXPONENT: Final = 30
_DIGITS_OF_A_QUOTIENT: Final = 34
_EXACT: Final = Context(prec=200, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the table: value in the coherent unit = value * factor + offset."""

    id: str
    """How type files, forms and tables write it, e.g. ``degC``."""
    symbol: str
    """How it is printed, e.g. ``°C``; the same in both languages."""
    en: str
    """English name."""
    zh: str
    """Chinese name."""
    dimension: str
    """Units of one dimension convert into each other."""
    dsi: str
    """D-SI spelling written into digital certificates."""
    factor: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)

    def name(self, language: str) -> str:
        """Return the name in `language`; English unless it is ``zh``."""
        return self.zh if language == "zh" else self.en


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


_KELVIN_AT_ZERO_C = Fraction("273.15")
_MMHG = Fraction("133.322387415")
"""Conventional millimetre of mercury in pascal, exact by definition (ISO 80000-4 annex)."""
_HOUR = Fraction(3600)
_ONE = r"\one"
_FLOW = r"\metre\tothe{3}\second\tothe{-1}"
_OHM = r"\ohm"

_UNITS: Final = (
    Unit("degC", "°C", "degree Celsius", "摄氏度", "temperature", r"\degreecelsius",
         offset=_KELVIN_AT_ZERO_C),
    Unit("K", "K", "kelvin", "开尔文", "temperature", r"\kelvin"),
    Unit("mK", "mK", "millikelvin", "毫开尔文", "temperature", r"\milli\kelvin", Fraction(1, 1000)),
    Unit("degF", "°F", "degree Fahrenheit", "华氏度", "temperature", r"\degreefahrenheit",
         Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
    Unit("1", "1", "one", "一", "ratio", _ONE),
    Unit("%", "%", "per cent", "百分数", "ratio", r"\percent", Fraction(1, 100)),
    Unit("%RH", "%RH", "per cent relative humidity", "相对湿度百分数", "ratio", r"\percent",
         Fraction(1, 100)),
    Unit("Pa", "Pa", "pascal", "帕斯卡", "pressure", r"\pascal"),
    Unit("hPa", "hPa", "hectopascal", "百帕", "pressure", r"\hecto\pascal", Fraction(100)),
    Unit("kPa", "kPa", "kilopascal", "千帕", "pressure", r"\kilo\pascal", Fraction(1000)),
    Unit("MPa", "MPa", "megapascal", "兆帕", "pressure", r"\mega\pascal", Fraction(10**6)),
    Unit("bar", "bar", "bar", "巴", "pressure", r"\bar", Fraction(10**5)),
    Unit("mmHg", "mmHg", "millimetre of mercury", "毫米汞柱", "pressure", r"\mmHg", _MMHG),
    Unit("m3/s", "m³/s", "cubic metre per second", "立方米每秒", "volume_flow", _FLOW),
    Unit("L/min", "L/min", "litre per minute", "升每分", "volume_flow",
         r"\litre\minute\tothe{-1}", Fraction(1, 60_000)),
    Unit("mL/h", "mL/h", "millilitre per hour", "毫升每小时", "volume_flow",
         r"\milli\litre\hour\tothe{-1}", Fraction(1, 10**6) / _HOUR),
    Unit("m3", "m³", "cubic metre", "立方米", "volume", r"\metre\tothe{3}"),
    Unit("L", "L", "litre", "升", "volume", r"\litre", Fraction(1, 1000)),
    Unit("mL", "mL", "millilitre", "毫升", "volume", r"\milli\litre", Fraction(1, 10**6)),
    Unit("ohm", "Ω", "ohm", "欧姆", "resistance", _OHM),
    Unit("mohm", "mΩ", "milliohm", "毫欧", "resistance", r"\milli\ohm", Fraction(1, 1000)),
    Unit("kohm", "kΩ", "kiloohm", "千欧", "resistance", r"\kilo\ohm", Fraction(1000)),
    Unit("A", "A", "ampere", "安培", "current", r"\ampere"),
    Unit("mA", "mA", "milliampere", "毫安", "current", r"\milli\ampere", Fraction(1, 1000)),
    Unit("V", "V", "volt", "伏特", "voltage", r"\volt"),
    Unit("mV", "mV", "millivolt", "毫伏", "voltage", r"\milli\volt", Fraction(1, 1000)),
    Unit("m", "m", "metre", "米", "length", r"\metre"),
    Unit("cm", "cm", "centimetre", "厘米", "length", r"\centi\metre", Fraction(1, 100)),
    Unit("mm", "mm", "millimetre", "毫米", "length", r"\milli\metre", Fraction(1, 1000)),
    Unit("um", "µm", "micrometre", "微米", "length", r"\micro\metre", Fraction(1, 10**6)),
    Unit("s", "s", "second", "秒", "time", r"\second"),
    Unit("min", "min", "minute", "分", "time", r"\minute", Fraction(60)),
    Unit("h", "h", "hour", "小时", "time", r"\hour", _HOUR),
    Unit("d", "d", "day", "日", "time", r"\day", Fraction(86_400)),
    Unit("kg", "kg", "kilogram", "千克", "mass", r"\kilogram"),
    Unit("g", "g", "gram", "克", "mass", r"\gram", Fraction(1, 1000)),
    Unit("mg", "mg", "milligram", "毫克", "mass", r"\milli\gram", Fraction(1, 10**6)),
    Unit("m/s", "m/s", "metre per second", "米每秒", "speed", r"\metre\second\tothe{-1}"),
    Unit("1/K", "K⁻¹", "per kelvin", "每开尔文", "per_temperature", r"\kelvin\tothe{-1}"),
    Unit("1/K2", "K⁻²", "per kelvin squared", "每二次方开尔文", "per_temperature_2",
         r"\kelvin\tothe{-2}"),
)  # fmt: skip

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
}

UNITS: Final = MappingProxyType({unit.id: unit for unit in _UNITS})
"""Every unit by id."""

QUANTITIES: Final = MappingProxyType({
    quantity.id: quantity
    for quantity in (
        Quantity("temperature", "temperature", "温度", ("degC", "K", "mK", "degF")),
        Quantity("temperature_difference", "temperature difference", "温度差",
                 ("K", "mK", "degC", "degF")),
        Quantity("relative_humidity", "relative humidity", "相对湿度", ("%RH", "%", "1")),
        Quantity("pressure", "pressure", "压力", ("kPa", "Pa", "hPa", "MPa", "bar", "mmHg")),
        Quantity("volume_flow", "volume flow rate", "体积流量", ("mL/h", "L/min", "m3/s")),
        Quantity("volume", "volume", "体积", ("mL", "L", "m3")),
        Quantity("ratio", "ratio", "比值", ("%", "1")),
        Quantity("dimensionless", "dimensionless quantity", "无量纲量", ("1", "%")),
        Quantity("resistance", "electrical resistance", "电阻", ("ohm", "mohm", "kohm")),
        Quantity("current", "electric current", "电流", ("A", "mA")),
        Quantity("voltage", "voltage", "电压", ("V", "mV")),
        Quantity("length", "length", "长度", ("m", "cm", "mm", "um")),
        Quantity("time", "time", "时间", ("s", "min", "h", "d")),
        Quantity("mass", "mass", "质量", ("kg", "g", "mg")),
        Quantity("speed", "speed", "速度", ("m/s",)),
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
        *((u.dsi, u.id) for u in reversed(_UNITS)),
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


def is_multiple(reading: str, resolution: str, *, at: str = "") -> bool:
    """Answer whether an instrument of this resolution can show the reading.

    Raises
    ------
    Invalid
        As `parse_decimal`, or the resolution is not positive.
    """
    step = parse_decimal(resolution, at=at)
    if step <= 0:
        message = "The resolution {resolution} is not positive. Enter the step of the display."
        _refuse("resolution-not-positive", message, at, resolution=resolution)
    return Fraction(parse_decimal(reading, at=at)) % Fraction(step) == 0
