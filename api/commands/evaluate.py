"""``calib evaluate``: files of frozen inputs into results, as many as there are."""

from __future__ import annotations

import gzip
import io
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

import typer

from api.commands.terminal import AsJSON, print_json, progress, tell, words
from api.usage import WrongUsage
from api.verdict_words import REST_PASSES, VERDICT_WORDS

if TYPE_CHECKING:
    from calib.evaluation.lines import Line

_REASONS = 5
"""As many reasons for refusals are told; all of them stand in the summary as JSON."""
_VERDICTS = {**VERDICT_WORDS, "pass_of_rest": REST_PASSES}
_GZIP = b"\x1f\x8b"
Files = Annotated[
    list[str], typer.Argument(help="Frozen inputs, one JSON per line, also .gz; - for input.")
]
Out = Annotated[Path | None, typer.Option(help="File for the results; else standard output, as -.")]
Jobs = Annotated[
    int | None, typer.Option(min=1, max=256, help="Processes; one per processor if absent.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress and no summary.")]


def evaluate(
    files: Files,
    out: Out = None,
    jobs: Jobs = None,
    quiet: Quiet = False,
    as_json: AsJSON = False,
) -> None:
    """Evaluate frozen inputs without a database: a result or a refusal for every line, in order.

    Ends with 1 when a line was refused.
    """
    from calib.evaluation.lines import answer_lines, parts_of
    from calib.evaluation.spread import work_on_parts

    if as_json and out in (None, Path("-")):
        raise WrongUsage(
            "results-need-file",
            "With --json standard output holds the summary alone. Name a file for the results"
            " with --out.",
        )
    out = None if out == Path("-") else out
    started = time.monotonic()
    verdicts, pieces, reasons = Counter[str](), Counter[str](), Counter[str]()
    processes = jobs or os.cpu_count() or 1
    with ExitStack() as held:
        sources = [_Source(name, held) for name in files]
        write = held.enter_context(_writing(out))
        known = all(source.size for source in sources)
        show = held.enter_context(progress(shown=not quiet, known=known))
        parts = parts_of(line for source in sources for line in source.lines())
        whole = sum(source.size for source in sources) or 1
        for _, answered in work_on_parts(answer_lines, parts, processes):
            write(answered.content)
            verdicts += answered.verdicts
            pieces += answered.pieces
            reasons += answered.reasons
            show("evaluating", sum(source.read() for source in sources) / whole)
    summary = {
        **_summary(verdicts, time.monotonic() - started, processes),
        "pieces": dict(sorted(pieces.items())),
        "reasons": dict(reasons.most_common()),
    }
    if as_json:
        print_json(summary)
    elif not quiet:
        _tell_summary(summary)
    raise typer.Exit(1 if summary["refused"] else 0)


class _Source:
    """One of the files, opened before anything is done; packed ones are told by their bytes."""

    def __init__(self, name: str, held: ExitStack) -> None:
        self.name, self.size = name, 0
        try:
            if name == "-":
                self._raw = cast("io.BufferedReader", sys.stdin.buffer)
            else:
                self._raw = Path(name).open("rb")  # noqa: SIM115 -- closed with the others
                held.callback(self._raw.close)
                self.size = os.fstat(self._raw.fileno()).st_size
            packed = self._raw.peek(2)[:2] == _GZIP
            if name.endswith(".toml"):
                raise WrongUsage(
                    "file-is-type",
                    "{path} is a type file and holds no readings. `calib simulate {path} --out"
                    " inputs.jsonl` makes frozen inputs of it; evaluate those.",
                    facts={"path": name},
                )
        except OSError as problem:
            raise WrongUsage(
                "file-unreadable",
                "The file {path} cannot be read: {problem}. Check the name.",
                facts={"path": name, "problem": problem.strerror or str(problem)},
            ) from problem
        unpacked = gzip.GzipFile(fileobj=self._raw, mode="rb") if packed else self._raw
        self._file = cast("BinaryIO", unpacked)

    def lines(self) -> Iterator[Line]:
        from calib.evaluation.lines import read_lines

        return read_lines(self.name, self._file)

    def read(self) -> int:
        """Return how many bytes of the file have been read so far."""
        return self._raw.tell() if self.size else 0


@contextmanager
def _writing(out: Path | None) -> Iterator[Callable[[bytes], None]]:
    """Write to the file, which takes its name when all is done, or to standard output."""
    if out is None:
        yield lambda content: _write(sys.stdout.buffer, content)
        return
    # a device or a pipe cannot take its name afterwards
    unfinished = out if out.exists() and not out.is_file() else out.with_name(f"{out.name}.part")
    with _told_as_unwritable(out):
        file = unfinished.open("wb")

    def write(content: bytes) -> None:
        with _told_as_unwritable(out):
            _write(file, content)

    try:
        with file:
            yield write
        if unfinished != out:
            with _told_as_unwritable(out):
                unfinished.replace(out)
    finally:
        if unfinished != out:
            unfinished.unlink(missing_ok=True)


def _write(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()


@contextmanager
def _told_as_unwritable(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise WrongUsage(
            "results-unwritable",
            "The results cannot be written to {path}: {problem}. Name another file with --out.",
            facts={"path": str(out), "problem": problem.strerror or str(problem)},
        ) from problem


def _summary(verdicts: Counter[str], seconds: float, processes: int) -> dict[str, object]:
    count = verdicts.total()
    refused = verdicts.pop("refused", 0)
    return {
        "records": count,
        "verdicts": dict(sorted(verdicts.items())),
        "refused": refused,
        "seconds": round(seconds, 3),
        "per_second": round(count / seconds, 1) if seconds else None,
        "peak_bytes": _peak(processes),
    }


def _peak(processes: int) -> int:
    """Return the most memory this process and its helpers can have held together."""
    own, largest = (
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    # kilobytes, but bytes on macOS
    return (own + processes * largest) * (1 if sys.platform == "darwin" else 1024)


def _tell_summary(summary: dict[str, object]) -> None:
    verdicts = cast("dict[str, int]", summary["verdicts"])
    tell(
        "{records} records in {seconds} s ({per_second} per second, at most {megabytes} MB):"
        " {verdicts}; refused: {refused}.",
        records=summary["records"],
        seconds=f"{summary['seconds']:.1f}",
        per_second=f"{summary['per_second']:.0f}",
        megabytes=cast("int", summary["peak_bytes"]) // 10**6,
        verdicts=_counted(verdicts, _VERDICTS) or words("no result"),
        refused=summary["refused"],
    )
    if pieces := cast("dict[str, int]", summary["pieces"]):
        tell("Pieces of batches: {verdicts}.", verdicts=_counted(pieces, _VERDICTS))
    if reasons := cast("dict[str, int]", summary["reasons"]):
        most = dict(list(reasons.items())[:_REASONS])
        tell("Refused most often for: {reasons}.", reasons=_counted(most, {}))


def _counted(numbers: Mapping[str, int], named: Mapping[str, str]) -> str:
    """Return how often each is there, in words."""
    return ", ".join(
        words("{verdict}: {count}", verdict=words(named.get(one, one)), count=count)
        for one, count in numbers.items()
    )
