"""What the attributes of a model and the ways of a derived input are called, for readers.

A word that only a file of a laboratory uses is shown as the file has it.
"""

from __future__ import annotations

from collections.abc import Mapping

from calib.i18n import translate

ATTRIBUTE_WORDS: Mapping[str, str] = {
    "applied_part": "Applied part",
    "class": "Accuracy class",
    "co2": "Carbon dioxide part",
    "co2_unit": "Display of carbon dioxide",
    "configuration": "Configuration",
    "cooling": "Cooling",
    "cord": "Mains cord",
    "detection": "Detection",
    "division": "Scale division",
    "ecg": "ECG part",
    "element": "Sensing element",
    "immersion": "Immersion",
    "kind": "Construction",
    "letter": "Letter of the thermocouple",
    "limits": "Limits that apply",
    "nibp": "Blood pressure part",
    "patient": "Patients",
    "protection": "Class of protection",
    "pump": "Kind of pump",
    "requirement": "Requirement it is held to",
    "route": "Way of calibration",
    "scale": "Unit of the scale",
    "size": "Nominal volume",
    "spo2": "Pulse oximetry part",
    "store": "Storage temperature",
    "volume": "Volume of the work space",
}
WAY_WORDS: Mapping[str, str] = {
    "change": "last minus first",
    "from_first": "farthest from the first",
    "half_range": "half the range",
    "iec60751_resistance": "resistance by IEC 60751",
    "iec60751_temperature": "temperature by IEC 60751",
    "largest_deviation": "farthest from the mean",
    "maximum": "largest",
    "mean": "mean",
    "minimum": "smallest",
    "range": "largest minus smallest",
    "saturation_pressure": "saturation pressure of water vapour",
    "standard_deviation": "standard deviation",
    "thermocouple_emf": "voltage by IEC 60584",
    "thermocouple_temperature": "temperature by IEC 60584",
}
OVER_WORDS: Mapping[str, str] = {
    "all": "over all readings at all positions",
    "means": "over the means of the positions",
    "positions": "over the positions, at each moment",
}


def attribute_name(name: str, language: str) -> str:
    """Return what an attribute of a model is called."""
    return translate(ATTRIBUTE_WORDS[name], language) if name in ATTRIBUTE_WORDS else name


def way_name(way: str, language: str) -> str:
    """Return how an input is derived; a function as it is written."""
    return translate(WAY_WORDS[way], language) if way in WAY_WORDS else way
