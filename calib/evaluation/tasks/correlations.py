"""Correlations of a ``propagate`` task: pairs, matrices, covariances, sources in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from calib.engine.types import Estimate
from calib.evaluation.tasks.reader import (
    Fields,
    TaskRefused,
    join,
    read_list,
    read_matrix,
    read_number,
)

_SAME = 1e-6
Estimates = dict[str, Estimate]
Triples = list[tuple[str, str, float]]


def read_correlations(fields: Fields, inputs: Estimates) -> Triples:
    """Read ``correlations`` and ``shared`` as pairs; covariances also fill in u of `inputs`.

    Raises
    ------
    TaskRefused
        An entry names no input, or contradicts the uncertainties.
    """
    found: Triples = []
    if fields.has("correlations"):
        given = fields.get("correlations")
        entries = [given] if isinstance(given, Mapping) else read_list(given, "correlations", 0)
        for i, entry in enumerate(entries):
            at = "correlations" if isinstance(given, Mapping) else join("correlations", i)
            if isinstance(entry, Mapping):
                found += _read_block(Fields(entry, at, ("names", "matrix", "covariance")), inputs)
            else:
                found.append(_read_pair(entry, at))
    if fields.has("shared"):
        common: dict[tuple[str, str], float] = {}
        for i, entry in enumerate(read_list(fields.get("shared"), "shared", 0)):
            _add_common(entry, join("shared", i), inputs, common)
        found += [(a, b, min(1.0, r)) for (a, b), r in common.items()]
    return found


def _read_pair(entry: Any, at: str) -> tuple[str, str, float]:
    parts = read_list(entry, at, 3)
    if len(parts) != 3 or not isinstance(parts[0], str) or not isinstance(parts[1], str):
        raise TaskRefused("bad-value", f'{at} must be ["name", "name", r].', at)
    return parts[0], parts[1], read_number(parts[2], join(at, 2))


def _names(given: Any, at: str, inputs: Estimates) -> list[str]:
    names = [str(n) for n in read_list(given, at, 2)]
    unknown = [n for n in names if n not in inputs]
    if unknown or len(set(names)) != len(names):
        what = f"{unknown[0][:60]!r} is no input" if unknown else "an input is named twice"
        raise TaskRefused("bad-value", f"{at}: {what}.", at)
    return names


def _read_block(block: Fields, inputs: Estimates) -> Triples:
    """Read a matrix of correlations or of covariances between named inputs."""
    names = _names(block.need("names"), block.place("names"), inputs)
    forms = [k for k in ("matrix", "covariance") if block.has(k)]
    if len(forms) != 1:
        raise TaskRefused("bad-task", "Give either matrix or covariance.", block.at)
    at = block.place(forms[0])
    rows = read_matrix(block.get(forms[0]), at)
    n = len(names)
    if len(rows) != n or any(len(row) != n for row in rows):
        raise TaskRefused("bad-value", f"{at} must have {n} rows of {n} numbers.", at)
    if any(rows[i][j] != rows[j][i] for i in range(n) for j in range(i)):
        raise TaskRefused("bad-value", f"{at} must be symmetric.", at)
    scale = [1.0] * n
    if forms == ["covariance"]:
        scale = [_uncertainty(name, rows[i][i], at, inputs) for i, name in enumerate(names)]
    elif any(rows[i][i] != 1 for i in range(n)):
        raise TaskRefused("bad-value", f"{at} must have ones on its diagonal.", at)
    found: Triples = []
    for j in range(n):
        for i in range(j):
            product = scale[i] * scale[j]
            if rows[i][j] and not product:
                msg = f"{at}: {names[i]} and {names[j]} covary, but one has no variance."
                raise TaskRefused("bad-value", msg, at)
            r = rows[i][j] / product if product else 0.0
            if r:
                # the quotient of a full correlation may come out one bit above 1
                r = math.copysign(1.0, r) if 1 < abs(r) < 1 + _SAME else r
                found.append((names[i], names[j], r))
    return found


def _uncertainty(name: str, variance: float, at: str, inputs: Estimates) -> float:
    """Take u of an input from its variance; one that was also given must agree."""
    if variance < 0:
        raise TaskRefused("bad-value", f"{at}: the variance of {name} is negative.", at)
    u, known = math.sqrt(variance), inputs[name]
    if known.u and not math.isclose(known.u, u, rel_tol=_SAME):
        msg = f"{at} says u = {u:g} of {name}, the input says {known.u:g}."
        raise TaskRefused("bad-value", msg, at)
    inputs[name] = known if known.u else replace(known, u=u)
    return inputs[name].u


def _add_common(
    entry: Any, at: str, inputs: Estimates, common: dict[tuple[str, str], float]
) -> None:
    """Add the correlation that one source of error common to some inputs makes."""
    parts = read_list(entry, at, 3)
    names = _names(parts[:-1], at, inputs)
    u = read_number(parts[-1], join(at, len(parts) - 1))
    for name in names:
        if not 0 <= u <= inputs[name].u * (1 + _SAME):
            msg = f"{at}: the common part {u:g} is not within 0 and u of {name}, which contains it."
            raise TaskRefused("bad-value", msg, at)
    for j, b in enumerate(names):
        for a in names[:j]:
            product = inputs[a].u * inputs[b].u
            key = (b, a) if (b, a) in common else (a, b)
            common[key] = common.get(key, 0.0) + (u * u / product if product else 0.0)
