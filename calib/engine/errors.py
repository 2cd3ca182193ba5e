"""What can go wrong in a calculation.

The engine knows no domain: it says which numbers it refuses and why. The evaluation
puts these errors in terms of point and reading. It must not know status codes.

::

    EngineError(ValueError)   message, facts
    ├── DegenerateData        too few, equal or contradictory data
    ├── SingularFit           a matrix cannot be solved or is no covariance
    ├── NotConverged          an iteration did not settle
    ├── OutOfRange            a number is outside what the formula allows
    └── BadExpression         a measurement function cannot be read
"""

from __future__ import annotations


class EngineError(ValueError):
    """Root of all refusals of the engine.

    Attributes
    ----------
    message : str
        English sentence, placeholders filled in.
    facts : dict of str to object
        The figures named in the message, for translation and programs.
    """

    def __init__(self, message: str, facts: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.facts: dict[str, object] = dict(facts or {})


class DegenerateData(EngineError):
    """Too few, equal or contradictory data."""


class SingularFit(EngineError):
    """A matrix cannot be solved or is no covariance matrix."""


class NotConverged(EngineError):
    """An iteration did not settle."""


class OutOfRange(EngineError):
    """A number lies outside what the formula allows, or a result is not finite."""


class BadExpression(EngineError):
    """A measurement function cannot be read."""
