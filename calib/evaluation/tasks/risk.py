"""Tasks of kind ``risk``: what a test accepts and rejects wrongly, before anything is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calib.engine import guardband
from calib.engine.priors import DEFAULTS, PRIORS, Prior, make_prior
from calib.engine.risk import Risks, assess_risks
from calib.evaluation.tasks.reader import Fields, TaskRefused, finite, place

KEYS = (
    "kind", "process", "u_test", "tur", "u_ratio", "bias", "lower", "upper", "accept_lower",
    "accept_upper", "guard", "target_pfa",
)  # fmt: skip
TESTS = ("u_test", "tur", "u_ratio")
RATES = ("in_tolerance", "observed_in_tolerance")
GUARDS = (*guardband.METHODS, "pfa", "rU")
WORST, SOLVE = "worst", "solve"


@dataclass(frozen=True, slots=True)
class _Case:
    """Limits, process and test of a task, all known; infinite where there is no limit."""

    lower: float
    upper: float
    bias: float
    prior: Prior
    u: float
    process: str

    @property
    def tur(self) -> float | None:
        """Test uncertainty ratio, where there is one."""
        return finite((self.upper - self.lower) / (4 * self.u)) if self.u else None


def compute_risk(task: Mapping[str, Any]) -> dict[str, Any]:
    """Compute a task of kind ``risk``.

    Raises
    ------
    TaskRefused
        The task cannot be read, or what it asks has no answer.
    """
    fields = Fields(task, "", KEYS)
    case = _read(fields)
    w, low, high = _acceptance(fields, case)
    with place(""):
        found = assess_risks(
            case.prior, case.u, lower=case.lower, upper=case.upper, accept_lower=low,
            accept_upper=high, bias=case.bias,
        )  # fmt: skip
    return _result(case, found, w, low, high)


def _result(case: _Case, found: Risks, w: float | None, low: float, high: float) -> dict[str, Any]:
    prior = case.prior
    return {
        "kind": "risk",
        "pfa": float(found.pfa[0]),
        "pfr": float(found.pfr[0]),
        "conditional_pfa": finite(float(found.conditional_pfa[0])),
        "in_tolerance": float(found.in_tolerance[0]),
        "accepted": float(found.accepted[0]),
        "tur": case.tur,
        "u_test": case.u,
        "process": {"mean": finite(float(prior.mean[0])), "u": finite(float(prior.sd[0]))},
        "acceptance_lower": finite(low),
        "acceptance_upper": finite(high),
        "guard_band": w,
        "guard_multiplier": w / (2 * case.u) if w is not None and case.u else None,
        "model": _model(case, low, high),
    }


# -------------------------------------------------------------------------------------- reading


def _read(fields: Fields) -> _Case:
    lower = fields.number("lower", -math.inf)
    upper = fields.number("upper", math.inf)
    if math.isinf(upper - lower) and math.isinf(lower) == math.isinf(upper):
        raise TaskRefused("degenerate-data", "At least one of lower and upper is needed.", "lower")
    if lower >= upper:
        raise TaskRefused("degenerate-data", "lower must be below upper.", "lower")
    process = Fields(fields.need("process"), "process", _known(fields.get("process")))
    _only(fields, TESTS)
    _check_solve(fields, process)
    bias = fields.number("bias", 0.0)
    if process.has("distribution"):
        prior = _stated(process, lower, upper)
        u = _u_test(fields, lower, upper, prior)
        name = process.get("distribution")
        return _Case(lower, upper, bias, prior, u, f"follow a {name} distribution, as stated")
    half = _half(lower, upper, "process")
    rate = "in_tolerance" if process.has("in_tolerance") else "observed_in_tolerance"
    sd, u, words = (_true if rate == "in_tolerance" else _observed)(fields, process, half)
    prior = make_prior("normal", {"mean": lower / 2 + upper / 2, "u": sd})
    return _Case(lower, upper, bias, prior, u, words)


def _known(process: object) -> tuple[str, ...]:
    """Give the keys that a process may have."""
    if not isinstance(process, Mapping) or "distribution" not in process:
        return ("distribution", *RATES)
    name = process["distribution"]
    return ("distribution", *(PRIORS.get(name, ()) if isinstance(name, str) else ()))


def _only(fields: Fields, keys: tuple[str, ...]) -> None:
    """Refuse more than one of some keys, or none."""
    given = [key for key in keys if fields.has(key)]
    if len(given) > 1:
        raise TaskRefused("bad-task", f"Give only one of {', '.join(given)}.", given[1])


def _asks(fields: Fields, key: str, word: str) -> bool:
    value = fields.get(key)
    return isinstance(value, str) and value == word


def _check_solve(fields: Fields, process: Fields) -> None:
    """One figure may be solved for, with nothing but the limits and the target beside it."""
    if process.has("in_tolerance") == process.has("observed_in_tolerance") and not process.has(
        "distribution"
    ):
        msg = f"Tell the process by one of distribution, {', '.join(RATES)}."
        raise TaskRefused("bad-task", msg, "process")
    solved = _asks(fields, "tur", SOLVE) or _asks(process, "observed_in_tolerance", SOLVE)
    if solved != fields.has("target_pfa"):
        msg = "target_pfa belongs to a figure given as 'solve', and the other way round."
        raise TaskRefused("bad-task", msg, "target_pfa")
    for key in ("guard", "accept_lower", "accept_upper", "bias"):
        if solved and fields.has(key):
            raise TaskRefused("bad-task", f"{key!r} does not go with 'solve'.", key)


def _half(lower: float, upper: float, at: str) -> float:
    if math.isinf(lower) or math.isinf(upper):
        raise TaskRefused("degenerate-data", f"{at} as given needs both lower and upper.", at)
    return (upper - lower) / 2


def _stated(process: Fields, lower: float, upper: float) -> Prior:
    """Read a distribution; a normal one is centred between two limits unless it has a mean."""
    name = process.word("distribution", tuple(PRIORS))
    numbers = dict(DEFAULTS.get(name, {}))
    if name == "normal" and math.isfinite(upper - lower):
        numbers["mean"] = lower / 2 + upper / 2
    for key in PRIORS[name]:
        if process.has(key) or key not in numbers:
            numbers[key] = process.number(key)
    with place("process"):
        return make_prior(name, numbers)


def _u_test(fields: Fields, lower: float, upper: float, prior: Prior | None) -> float:
    """Read the standard uncertainty of the test, from whichever figure tells it."""
    if fields.has("u_test"):
        u = fields.number("u_test")
        if u < 0:
            raise TaskRefused("out-of-range", "u_test must not be negative.", "u_test")
        return u
    if fields.has("tur"):
        half = _half(lower, upper, "tur")
        if _asks(fields, "tur", SOLVE):
            return half / (2 * _solve_tur(fields, half, prior))
        return half / (2 * _positive(fields, "tur"))
    ratio = _positive(fields, "u_ratio") if fields.has("u_ratio") else None
    if ratio is None:
        raise TaskRefused("missing-key", f"One of {', '.join(TESTS)} is needed.", "u_test")
    if prior is None or not math.isfinite(prior.sd[0]):
        msg = "u_ratio needs a process with a known standard deviation."
        raise TaskRefused("bad-task", msg, "u_ratio")
    return float(prior.sd[0]) / ratio


def _positive(fields: Fields, key: str) -> float:
    number = fields.number(key)
    if number <= 0:
        raise TaskRefused("out-of-range", f"{key} must be positive.", key)
    return number


def _solve_tur(fields: Fields, half: float, prior: Prior | None) -> float:
    """Least ratio for a centred normal process, or for the worst one."""
    if prior is not None and prior.family != "normal":
        raise TaskRefused("bad-task", "tur is solved for a normal process only.", "tur")
    sd = None if prior is None else float(prior.sd[0])
    with place("target_pfa"):
        return guardband.least_tur(sd, half, fields.number("target_pfa"))


def _true(fields: Fields, process: Fields, half: float) -> tuple[float, float, str]:
    """Spread of the process from the share in tolerance, true or the worst."""
    if _asks(process, "in_tolerance", WORST):
        u = _u_test(fields, -half, half, None)
        with place("u_test"):
            sd = float(guardband.worst_process(u, half)[0])
        return sd, u, "follow a normal distribution with the spread that makes PFA largest"
    with place("process.in_tolerance"):
        sd = float(guardband.observed_spread(process.number("in_tolerance"), half)[0])
    prior = make_prior("normal", {"mean": 0.0, "u": sd})
    words = "follow a normal distribution centred between the limits"
    return sd, _u_test(fields, -half, half, prior), words


def _observed(fields: Fields, process: Fields, half: float) -> tuple[float, float, str]:
    """Spread of the process from the share found in tolerance by the same test."""
    at = "process.observed_in_tolerance"
    solved = _asks(process, "observed_in_tolerance", SOLVE)
    if solved:
        with place("target_pfa"):
            rate = guardband.safe_observed_rate(fields.number("target_pfa"))
    else:
        rate = process.number("observed_in_tolerance")
    with place(at):
        total = float(guardband.observed_spread(rate, half)[0])
    words = f"follow a normal distribution, {100 * rate:.4g} % of the readings being in tolerance"
    if _asks(fields, "u_test", WORST):
        u = float(guardband.worst_split(rate, half)[0])
        words += ", with the test uncertainty that makes PFA largest"
    elif solved:
        raise TaskRefused("bad-task", "Solving for this rate needs u_test 'worst'.", "u_test")
    else:
        u = _u_test(fields, -half, half, None)
    if u >= total:
        msg = "The test alone scatters more than the readings that are in tolerance this often."
        raise TaskRefused("degenerate-data", msg, at)
    return math.sqrt((total - u) * (total + u)), u, words


# ------------------------------------------------------------------------------------ acceptance


def _acceptance(fields: Fields, case: _Case) -> tuple[float | None, float, float]:
    """Guard band, if one is asked for, and the acceptance limits."""
    given = fields.has("accept_lower") or fields.has("accept_upper")
    if not fields.has("guard"):
        low = fields.number("accept_lower", -math.inf if given else case.lower)
        high = fields.number("accept_upper", math.inf if given else case.upper)
        if low >= high:
            msg = "accept_lower must be below accept_upper."
            raise TaskRefused("degenerate-data", msg, "accept_lower")
        return None, low, high
    if given:
        raise TaskRefused("bad-task", "Give either guard or acceptance limits.", "guard")
    guard = Fields(fields.get("guard"), "guard", ("method", "target", "r"))
    w = _width(guard, case)
    return w, case.lower + w, case.upper - w


def _width(guard: Fields, case: _Case) -> float:
    method = guard.word("method", GUARDS)
    wanted = {"pfa": "target", "rU": "r"}.get(method)
    for key in ("target", "r"):
        if guard.has(key) and key != wanted:
            raise TaskRefused("bad-task", f"{key!r} does not go with {method!r}.", f"guard.{key}")
    if method == "rU":
        return 2 * guard.number("r") * case.u
    if method == "pfa":
        target = guard.number("target")
        with place("guard.target"):
            found = guardband.solve_guard_band(
                case.prior, case.u, target, lower=case.lower, upper=case.upper, bias=case.bias
            )
        return float(found[0])
    if case.tur is None:
        msg = f"Guard band {method!r} needs both limits and a test with an uncertainty."
        raise TaskRefused("degenerate-data", msg, "guard.method")
    with place("guard.method"):
        share = float(guardband.guard_share(method, case.tur))
    return (1 - share) * (case.upper - case.lower) / 2


def _model(case: _Case, low: float, high: float) -> str:
    """Say in words what was assumed."""
    mean, sd = finite(float(case.prior.mean[0])), finite(float(case.prior.sd[0]))
    moments = [] if mean is None else [f"mean {mean:.6g}"]
    moments += [] if sd is None else [f"standard deviation {sd:.6g}"]
    test = f"a normal error with standard uncertainty {case.u:.6g}" if case.u else "no error"
    bias = f" and reads too high by {case.bias:.6g}" if case.bias else ""
    if low >= high:
        zone = "No reading is accepted"
    else:
        ends = [f"at least {low:.6g}"] if math.isfinite(low) else []
        ends += [f"at most {high:.6g}"] if math.isfinite(high) else []
        zone = f"An item is accepted when its reading is {' and '.join(ends)}"
    known = f" ({', '.join(moments)})" if moments else ""
    return (
        f"Before the test the true values of the items {case.process}{known}. The test adds {test},"
        f" the same for every value{bias}. {zone}."
    )
