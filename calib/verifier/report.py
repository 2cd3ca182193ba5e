"""What a verifier found: steps, each with a word for how much it knows, and one verdict.

A step is *established* when it was shown, *contradicted* when the opposite was shown, and *not
established* when nothing could be shown either way. Silence is never taken for good news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

from calib.verifier.plain_sight import plain_fact, plain_finding, plain_sight
from instruments.errors import DomainError, Finding, fill

State = Literal["established", "contradicted", "not_established"]
Verdict = Literal[
    "valid", "superseded", "withdrawn", "expired", "simulated", "invalid", "cannot_tell"
]
STATES: Final = get_args(State)
EXIT: Final[Mapping[Verdict, int]] = {
    "valid": 0, "superseded": 1, "withdrawn": 1, "expired": 1, "simulated": 1, "invalid": 1,
    "cannot_tell": 2,
}  # fmt: skip
"""Exit code of ``calib authenticate``."""
VERDICT_WORDS: Final[Mapping[Verdict, str]] = {
    "valid": "Genuine, unchanged, and standing.",
    "superseded": "Genuine, but replaced: do not use it any more.",
    "withdrawn": "Genuine, but withdrawn: do not rely on it.",
    "expired": "Genuine and standing, but its legal validity has passed.",
    "simulated": "Unchanged, but of simulated readings: it certifies no instrument.",
    "invalid": "Not a genuine, unchanged certificate: do not rely on it.",
    "cannot_tell": "It cannot be told whether this certificate is genuine and stands.",
}
NO_CERTIFICATE: Final = (
    "This file is no certificate of Calib, or cannot be read: do not rely on it. Nothing is said "
    "of the certificate you may hold."
)
"""Of a file of which nothing is known the words for cannot_tell."""
CODE_STANDS: Final = "The code is genuine, and its certificate stands."
"""Of a code alone the word for valid: the paper it stands on may still say anything."""
STEP_WORDS: Final[Mapping[str, str]] = {
    "file": "The file can be read as a certificate",
    "seal": "The seal of the file",
    "timestamp": "The time stamp of the seal",
    "dcc": "The digital certificate inside",
    "text": "What the pages say",
    "rendering": "The pages made again",
    "log": "The public log",
    "witnesses": "Witnesses of the log",
    "recomputation": "The results computed again",
    "scope": "The uncertainty against the scope of the laboratory",
    "mark": "The mark of the code",
    "host": "Where the code leads",
    "simulated": "Real readings",
    "status": "Whether it still stands",
    "validity": "Legal validity",
}
"""Every step by its id, in the order in which they are reported."""
ORIGIN: Final = ("seal", "log")
"""Steps of which one must be established for a file: they speak of every byte of it."""
ORIGIN_OF_CODE: Final = ("mark",)
"""The same for a printed code; in a file it vouches for itself alone, not for what is drawn."""


@dataclass(frozen=True, slots=True)
class Step:
    """One question that was asked."""

    id: str
    state: State
    message: str
    """Sentence with ``{named}`` facts: what was shown, or what is missing and how to get it."""
    facts: Mapping[str, object] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    """What exactly differs, one by one."""

    def text(self) -> str:
        """Return the English sentence."""
        return fill(self.message, {name: str(fact) for name, fact in self.facts.items()})


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found about one file or code."""

    verdict: Verdict
    steps: tuple[Step, ...]
    says: Mapping[str, str] = field(default_factory=dict)
    """What the certificate says of itself, for comparison with what lies before the reader."""

    @property
    def words(self) -> str:
        """Return the verdict as a sentence; of a code it says nothing of the paper around it."""
        file = self.step("file")
        if self.verdict == "cannot_tell" and file and file.state == "not_established":
            return NO_CERTIFICATE
        is_code = self.step("mark") is not None and not any(map(self.step, ORIGIN))
        return CODE_STANDS if is_code and self.verdict == "valid" else VERDICT_WORDS[self.verdict]

    def step(self, id_: str) -> Step | None:
        """Return a step by its id, None when it was not asked."""
        return next((step for step in self.steps if step.id == id_), None)

    def as_dict(self) -> dict[str, Any]:
        """Return the plain form of ``--json``."""
        return {
            "verdict": self.verdict,
            "says": dict(self.says),
            "steps": [
                {
                    "step": step.id,
                    "state": step.state,
                    "detail": step.text(),
                    "findings": [finding.text() for finding in step.findings],
                }
                for step in self.steps
            ],
        }


def report_of(steps: Sequence[Step], says: Mapping[str, str] | None = None) -> Report:
    """Return steps in their order, with the verdict that follows from them."""
    order = list(STEP_WORDS)
    ordered = sorted(steps, key=lambda step: order.index(step.id))
    said = {name: plain_sight(words) for name, words in (says or {}).items()}
    return Report(verdict_of(ordered), tuple(map(_in_plain_sight, ordered)), said)


def _in_plain_sight(step: Step) -> Step:
    facts = {name: plain_fact(fact) for name, fact in step.facts.items()}
    return replace(step, facts=facts, findings=tuple(map(plain_finding, step.findings)))


def established(id_: str, message: str, **facts: object) -> Step:
    """Return a step that was shown."""
    return Step(id_, "established", message, facts)


def not_established(id_: str, message: str, **facts: object) -> Step:
    """Return a step about which nothing could be shown."""
    return Step(id_, "not_established", message, facts)


def contradicted(id_: str, message: str, findings: Sequence[Finding] = (), **facts: object) -> Step:
    """Return a step of which the opposite was shown."""
    return Step(id_, "contradicted", message, facts, tuple(findings))


def simulated_step() -> Step:
    """Return the step that readings by a generator contradict."""
    message = "Its readings were simulated: it is no certificate of an instrument."
    return contradicted("simulated", message)


def refused(id_: str, problem: DomainError) -> Step:
    """Return the step that an error contradicts."""
    return Step(id_, "contradicted", problem.message, problem.facts, problem.findings)


def verdict_of(steps: Sequence[Step]) -> Verdict:
    """Return the one answer that follows from the steps.

    Anything contradicted makes it invalid, but for what has a word of its own: status, validity,
    simulated readings. Valid takes an established origin, content and status; of a file that cannot
    be read as a certificate nothing is told.
    """
    by_id = {step.id: step for step in steps}
    against = [step.id for step in steps if step.state == "contradicted"]
    if any(id_ not in ("status", "validity", "simulated") for id_ in against):
        return "invalid"
    if "file" in by_id and by_id["file"].state == "not_established":
        return "cannot_tell"
    origin = [by_id[id_] for id_ in ORIGIN if id_ in by_id]
    origin = origin or [by_id[id_] for id_ in ORIGIN_OF_CODE if id_ in by_id]
    if not any(step.state == "established" for step in origin):
        return "cannot_tell"
    if "simulated" in against:
        return "simulated"
    if "status" in against:
        return "withdrawn" if by_id["status"].facts.get("state") == "withdrawn" else "superseded"
    status = by_id.get("status")
    if status is None or status.state != "established":
        return "cannot_tell"
    return "expired" if "validity" in against else "valid"
