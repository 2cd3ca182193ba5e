"""The table of units: symbol, names, dimension, size.

Closed: what is not here is refused, never guessed. `quantities` reads and converts with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final


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
    """D-SI spelling written into digital certificates; empty where D-SI has none."""
    factor: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)

    def name(self, language: str) -> str:
        """Return the name in `language`; English unless it is ``zh``."""
        return self.zh if language == "zh" else self.en


_KELVIN_AT_ZERO_C = Fraction("273.15")
_MMHG = Fraction("133.322387415")
"""Conventional millimetre of mercury in pascal, exact by definition (ISO 80000-4 annex)."""
_CMH2O = Fraction("98.0665")
"""Conventional centimetre of water in pascal, exact by definition (ISO 80000-4 annex)."""
_HOUR = Fraction(3600)
_ONE = r"\one"
_FLOW = r"\metre\tothe{3}\second\tothe{-1}"
_OHM = r"\ohm"

TABLE: Final = (
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
    Unit("cmH2O", "cmH₂O", "conventional centimetre of water", "厘米水柱", "pressure", "",
         _CMH2O),
    Unit("kPa/min", "kPa/min", "kilopascal per minute", "千帕每分", "pressure_rate",
         r"\kilo\pascal\minute\tothe{-1}", Fraction(1000, 60)),
    Unit("mmHg/min", "mmHg/min", "millimetre of mercury per minute", "毫米汞柱每分",
         "pressure_rate", r"\mmHg\minute\tothe{-1}", _MMHG / 60),
    Unit("kPa/s", "kPa/s", "kilopascal per second", "千帕每秒", "pressure_rate",
         r"\kilo\pascal\second\tothe{-1}", Fraction(1000)),
    Unit("mmHg/s", "mmHg/s", "millimetre of mercury per second", "毫米汞柱每秒",
         "pressure_rate", r"\mmHg\second\tothe{-1}", _MMHG),
    Unit("m3/s", "m³/s", "cubic metre per second", "立方米每秒", "volume_flow", _FLOW),
    Unit("L/min", "L/min", "litre per minute", "升每分", "volume_flow",
         r"\litre\minute\tothe{-1}", Fraction(1, 60_000)),
    Unit("mL/min", "mL/min", "millilitre per minute", "毫升每分", "volume_flow",
         r"\milli\litre\minute\tothe{-1}", Fraction(1, 60_000_000)),
    Unit("L/h", "L/h", "litre per hour", "升每小时", "volume_flow",
         r"\litre\hour\tothe{-1}", Fraction(1, 1000) / _HOUR),
    Unit("mL/h", "mL/h", "millilitre per hour", "毫升每小时", "volume_flow",
         r"\milli\litre\hour\tothe{-1}", Fraction(1, 10**6) / _HOUR),
    Unit("m3", "m³", "cubic metre", "立方米", "volume", r"\metre\tothe{3}"),
    Unit("L", "L", "litre", "升", "volume", r"\litre", Fraction(1, 1000)),
    Unit("mL", "mL", "millilitre", "毫升", "volume", r"\milli\litre", Fraction(1, 10**6)),
    Unit("uL", "µL", "microlitre", "微升", "volume", r"\micro\litre", Fraction(1, 10**9)),
    Unit("ohm", "Ω", "ohm", "欧姆", "resistance", _OHM),
    Unit("mohm", "mΩ", "milliohm", "毫欧", "resistance", r"\milli\ohm", Fraction(1, 1000)),
    Unit("kohm", "kΩ", "kiloohm", "千欧", "resistance", r"\kilo\ohm", Fraction(1000)),
    Unit("Mohm", "MΩ", "megaohm", "兆欧", "resistance", r"\mega\ohm", Fraction(10**6)),
    Unit("A", "A", "ampere", "安培", "current", r"\ampere"),
    Unit("mA", "mA", "milliampere", "毫安", "current", r"\milli\ampere", Fraction(1, 1000)),
    Unit("uA", "µA", "microampere", "微安", "current", r"\micro\ampere", Fraction(1, 10**6)),
    Unit("V", "V", "volt", "伏特", "voltage", r"\volt"),
    Unit("mV", "mV", "millivolt", "毫伏", "voltage", r"\milli\volt", Fraction(1, 1000)),
    Unit("uV", "µV", "microvolt", "微伏", "voltage", r"\micro\volt", Fraction(1, 10**6)),
    Unit("J", "J", "joule", "焦耳", "energy", r"\joule"),
    Unit("Hz", "Hz", "hertz", "赫兹", "frequency", r"\hertz"),
    Unit("/min", "/min", "per minute", "次每分", "frequency", r"\minute\tothe{-1}",
         Fraction(1, 60)),
    Unit("r/min", "r/min", "revolution per minute", "转每分", "rotational_frequency",
         "", Fraction(1, 60)),
    Unit("r/s", "r/s", "revolution per second", "转每秒", "rotational_frequency", ""),
    Unit("S/m", "S/m", "siemens per metre", "西门子每米", "conductivity",
         r"\siemens\metre\tothe{-1}"),
    Unit("mS/cm", "mS/cm", "millisiemens per centimetre", "毫西门子每厘米", "conductivity",
         r"\milli\siemens\centi\metre\tothe{-1}", Fraction(1, 10)),
    Unit("pH", "pH", "pH", "pH", "acidity", ""),
    Unit("dB", "dB", "decibel", "分贝", "level", r"\decibel"),
    Unit("m", "m", "metre", "米", "length", r"\metre"),
    Unit("cm", "cm", "centimetre", "厘米", "length", r"\centi\metre", Fraction(1, 100)),
    Unit("mm", "mm", "millimetre", "毫米", "length", r"\milli\metre", Fraction(1, 1000)),
    Unit("um", "µm", "micrometre", "微米", "length", r"\micro\metre", Fraction(1, 10**6)),
    Unit("s", "s", "second", "秒", "time", r"\second"),
    Unit("ms", "ms", "millisecond", "毫秒", "time", r"\milli\second", Fraction(1, 1000)),
    Unit("min", "min", "minute", "分", "time", r"\minute", Fraction(60)),
    Unit("h", "h", "hour", "小时", "time", r"\hour", _HOUR),
    Unit("d", "d", "day", "日", "time", r"\day", Fraction(86_400)),
    Unit("kg", "kg", "kilogram", "千克", "mass", r"\kilogram"),
    Unit("g", "g", "gram", "克", "mass", r"\gram", Fraction(1, 1000)),
    Unit("mg", "mg", "milligram", "毫克", "mass", r"\milli\gram", Fraction(1, 10**6)),
    Unit("ug", "µg", "microgram", "微克", "mass", r"\micro\gram", Fraction(1, 10**9)),
    Unit("mm/s", "mm/s", "millimetre per second", "毫米每秒", "speed",
         r"\milli\metre\second\tothe{-1}", Fraction(1, 1000)),
    Unit("mm/mV", "mm/mV", "millimetre per millivolt", "毫米每毫伏", "deflection",
         r"\milli\metre\milli\volt\tothe{-1}"),
    Unit("K/s", "K/s", "kelvin per second", "开尔文每秒", "temperature_rate",
         r"\kelvin\second\tothe{-1}"),
    Unit("m/s", "m/s", "metre per second", "米每秒", "speed", r"\metre\second\tothe{-1}"),
    Unit("1/K", "K⁻¹", "per kelvin", "每开尔文", "per_temperature", r"\kelvin\tothe{-1}"),
    Unit("1/K2", "K⁻²", "per kelvin squared", "每二次方开尔文", "per_temperature_2",
         r"\kelvin\tothe{-2}"),
)  # fmt: skip
"""Every unit, those of one dimension together."""
