"""Reading the points of a task of kind ``fit``: variables, observations, their uncertainties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calib.engine.adjustment import METHODS
from calib.evaluation.tasks.reader import (
    Fields,
    TaskRefused,
    join,
    read_matrix,
    read_number,
    read_numbers,
)

Lists = list[list[float]]
MAX_PARAMETERS = 50
_IN_X = ("u_x", "cov_x", "cov_xy", "covariance_method")


@dataclass(frozen=True, slots=True)
class Points:
    """What is to be fitted.

    Attributes
    ----------
    variables : tuple of str or None
        Names of the variables; ``None`` when x is one plain list.
    x : list of lists
        Values by variable.
    y : list
        Observations.
    both : bool
        Whether x is uncertain too.
    options : dict
        Uncertainties and switches, as the fitting functions take them.
    """

    variables: tuple[str, ...] | None
    x: Lists
    y: list[float]
    both: bool
    options: dict[str, Any]


def read_points(fields: Fields) -> Points:
    """Read the points and what is known of their errors.

    Raises
    ------
    TaskRefused
        Lists of different lengths, or options that do not go together.
    """
    variables, x = read_variables(fields, "x")
    y = fields.numbers("y")
    for i, values in enumerate(x):
        if len(values) != len(y):
            at = "y" if variables is None else join("x", variables[i])
            msg = f"{at} does not go with the other list: {len(values)} x, {len(y)} y."
            raise TaskRefused("bad-task", msg, at)
    options: dict[str, Any] = {
        "u_y": _uncertain(fields, "u_y", zero=False),
        "cov_y": _matrix(fields, "cov_y", len(y), len(y)),
        "scale_by_residuals": fields.flag("scale_by_residuals"),
        "u_y_common": fields.number("u_y_common", 0.0),
    }
    weighting = fields.word("weighting", ("none", "uncertainty"), "uncertainty")
    both = any(fields.has(key) for key in _IN_X)
    if not both:
        options["weighted"] = weighting != "none"
        return Points(variables, x, y, both, options)
    if weighting == "none":
        msg = "weighting 'none' does not go with uncertainties of x."
        raise TaskRefused("bad-task", msg, "weighting")
    m = len(x) * len(y)
    options["cov_x"] = _matrix(fields, "cov_x", m, m)
    options["cov_xy"] = _matrix(fields, "cov_xy", m, len(y))
    options["u_x"] = read_uncertainty(fields, "u_x", variables, len(y))
    options["covariance_method"] = fields.word("covariance_method", METHODS, METHODS[0])
    return Points(variables, x, y, both, options)


def _uncertain(fields: Fields, key: str, *, zero: bool) -> float | list[float] | None:
    """Read standard uncertainties, one number or a list; 0 where it may be."""
    given = fields.number_or_list(key)
    listed = isinstance(given, list)
    for i, u in enumerate(given if isinstance(given, list) else [] if given is None else [given]):
        if u < 0 or (u == 0 and not zero):
            at = join(fields.place(key), i) if listed else fields.place(key)
            wanted = "not be negative" if zero else "be positive"
            msg = f"{at} is a standard uncertainty and must {wanted}, got {u:g}."
            raise TaskRefused("out-of-range", msg, at)
    return given


def read_variables(fields: Fields, key: str) -> tuple[tuple[str, ...] | None, Lists]:
    """Read one list of values, or an object of lists by name of the variable.

    Raises
    ------
    TaskRefused
        No variable, or values that are no numbers.
    """
    given = fields.need(key)
    if not isinstance(given, Mapping):
        return None, [fields.numbers(key, 0 if fields.at else 1)]
    at = fields.place(key)
    if not given:
        raise TaskRefused("bad-value", f"{at} must name at least one variable.", at)
    least = 0 if fields.at else 1
    lists = [read_numbers(v, join(at, name), least) for name, v in given.items()]
    return tuple(map(str, given)), lists


def read_uncertainty(
    fields: Fields, key: str, variables: tuple[str, ...] | None, n: int
) -> float | list[float] | Lists | None:
    """Read uncertainties of x: a number, a list, or both by name of the variable (absent: 0).

    Raises
    ------
    TaskRefused
        An unknown variable, or a list of the wrong length.
    """
    given = fields.get(key)
    if not isinstance(given, Mapping):
        return _uncertain(fields, key, zero=True)
    at = fields.place(key)
    if variables is None:
        raise TaskRefused("bad-value", f"{at} is an object, but x is one list.", at)
    by_name = Fields(given, at, variables)
    rows = []
    for name in variables:
        u = _uncertain(by_name, name, zero=True)
        row = u if isinstance(u, list) else [u or 0.0] * n
        if len(row) != n:
            msg = f"{join(at, name)} must be one number or {n}, got {len(row)}."
            raise TaskRefused("bad-task", msg, join(at, name))
        rows.append(row)
    return rows


def _matrix(fields: Fields, key: str, rows: int, columns: int) -> Lists | None:
    """Read a matrix of a known shape."""
    if not fields.has(key):
        return None
    matrix = read_matrix(fields.get(key), key)
    if len(matrix) != rows or any(len(row) != columns for row in matrix):
        msg = f"{key} must be a matrix of {rows} rows and {columns} columns."
        raise TaskRefused("bad-task", msg, key)
    return matrix


def read_starts(value: object, at: str) -> tuple[tuple[str, ...], list[float | None]]:
    """Read the parameters of a function: starting values by name, ``null`` for none, or names.

    Raises
    ------
    TaskRefused
        No parameter, or a value that is no number.
    """
    if isinstance(value, Mapping):
        names = [str(name) for name in value]
        starts = [None if v is None else read_number(v, join(at, n)) for n, v in value.items()]
    elif isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
        names, starts = list(value), [None] * len(value)
    else:
        msg = f"{at} must be an object of starting values by name, or a list of names."
        raise TaskRefused("bad-value", msg, at)
    if not 1 <= len(names) <= MAX_PARAMETERS:
        msg = f"{at} must name 1 to {MAX_PARAMETERS} parameters, got {len(names)}."
        raise TaskRefused("bad-value", msg, at)
    return tuple(names), starts
