"""What all bodies on the wire share: strict, closed, finite; dates and decimals as text."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints


class Wire(BaseModel):
    """A body that means exactly what it says: no unknown field, no conversion, no NaN."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    def given(self) -> dict[str, object]:
        """Return only what was sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _iso_day(value: object) -> date:
    if not isinstance(value, str):
        raise ValueError("a date is text like 2026-03-31")
    try:
        day = date.fromisoformat(value)
    except ValueError as problem:
        raise ValueError(f"{value!r} is no date; write it as 2026-03-31") from problem
    if len(value) != len("2026-03-31") or value != day.isoformat():
        raise ValueError(f"{value!r} is no date; write it as 2026-03-31")
    return day


Day = Annotated[date, BeforeValidator(_iso_day, json_schema_input_type=str)]
"""A calendar date as ISO text."""
Decimal = Annotated[str, StringConstraints(max_length=60)]
"""A decimal as text; its digits are read, and refused, by the use case."""
Words = Annotated[str, StringConstraints(max_length=4000)]
