"""English words of the short codes of the field that every door shows; translated when shown."""

from __future__ import annotations

from collections.abc import Mapping

from api.verdict_words import VERDICT_WORDS

FIELD_WORDS: Mapping[str, Mapping[str, str]] = {
    "customer_kind": {
        "medical": "Medical institution",
        "maker": "Manufacturer",
        "transport": "Transport",
        "market": "Market or shop",
        "school": "School",
        "community": "Community",
        "customs": "Customs",
        "other": "Other",
    },
    "venue_type": {
        "hospital": "Hospital",
        "railway_station": "Railway station",
        "airport": "Airport",
        "metro": "Metro",
        "bus_station": "Bus station",
        "port": "Port",
        "school": "School",
        "market": "Market or shop",
        "mall": "Shopping mall",
        "community": "Community",
        "factory": "Factory",
        "office": "Office",
        "other": "Other",
    },
    "rule": {
        "none": "No statement of conformity",
        "regulation": "As the regulation says",
        "simple": "Simple acceptance",
        "guard_U": "Guard band U",
        "guard_U_nonbinary": "Guard band U, four outcomes",
        "guard_rU": "Guard band r·U",
        "iso14253_1": "ISO 14253-1",
        "z5403": "ANSI/NCSL Z540.3, 2 % risk",
        "tur4": "Ratio of 4:1",
        "jjf1094": "JJF 1094, U at most a third of the limit",
        "probability": "Conformance probability",
    },
    "board_colour": {"green": "Fit for use", "yellow": "Needs attention", "red": "Out of service"},
    "verdict": VERDICT_WORDS,
}
