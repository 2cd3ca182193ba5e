"""Check certificates that left the laboratory, with Python alone: no program, no network.

    python3 verify.py trust.json certificate.pdf [certificate.tlog-proof] [--status status.txt]

It answers whether exactly these bytes were logged by the laboratory's installation, who witnessed
it, and whether the newest status list still lets the certificate stand. It is a second, separate
implementation: it shares no code with the program that issues. What it cannot see is named.

Exit codes: 0 logged and standing, 1 not genuine or no longer standing, 2 cannot tell, 3 usage.
"""

import base64
import hashlib
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# ------------------------------------------------------------------------- Ed25519 (RFC 8032, 5.1)

Point = tuple[int, int, int, int]
Key = tuple[str, int, bytes]
"""Name, type and public key."""
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def _x_of(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(n: int, point: Point) -> Point:
    found = (0, 1, 1, 0)
    while n:
        if n & 1:
            found = _add(found, point)
        point, n = _add(point, point), n >> 1
    return found


def _same(p: Point, q: Point) -> bool:
    return not ((p[0] * q[2] - q[0] * p[2]) % P or (p[1] * q[2] - q[1] * p[2]) % P)


def _point(text: bytes) -> Point | None:
    number = int.from_bytes(text, "little")
    y = number & ((1 << 255) - 1)
    x = _x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = _x_of(_BASE_Y, 0) or 0
BASE = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


def signed_by(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Answer whether the key signed the message."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = _point(public_key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    h = int.from_bytes(digest, "little") % L
    return _same(_times(s, BASE), _add(commitment, _times(h, key)))


# ------------------------------------------------------------------- signed notes and Merkle trees


class Wrong(Exception):
    """What was shown to be wrong, in words."""


def exact(text: str) -> bytes:
    """Read base64, refusing a second text for the same bytes."""
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong("a base64 text is damaged") from None
    if base64.b64encode(content).decode() != text:
        raise Wrong("a base64 text is not canonical")
    return content


def read_key(text: str) -> Key:
    """Return (name, type, public key) of a line ``name+number+base64``."""
    name, _, rest = text.partition("+")
    number, _, body = rest.partition("+")
    content = exact(body)
    if number != key_number(name, content[0], content[1:]).hex() or len(content) != 33:
        raise Wrong(f"the key of {name} is damaged")
    return name, content[0], content[1:]


def key_number(name: str, kind: int, key: bytes) -> bytes:
    """Return the four bytes before each signature of a key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def signers(note: bytes, keys: list[Key]) -> tuple[str, list[str]]:
    """Return the text of a note, and which of the keys signed it."""
    text, blank, tail = note.decode("utf-8").rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise Wrong("a signed text is damaged")
    text += "\n"
    found: list[str] = []
    for line in tail[:-1].split("\n"):
        dash, name, encoded = (*line.split(" "), "", "")[:3]
        content = exact(encoded)
        if dash != "—" or len(content) < 5:
            raise Wrong("a signature line is damaged")
        for known, kind, key in keys:
            if (known, key_number(known, kind, key)) != (name, content[:4]):
                continue
            message, signature = text.encode(), content[4:]
            if kind == 4:
                seconds = int.from_bytes(signature[:8], "big")
                message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
                signature = signature[8:]
            if not signed_by(key, message, signature):
                raise Wrong(f"the signature of {name} does not fit")
            if known not in found:
                found.append(known)
    return text, found


def root_from(leaf: bytes, place: int, size: int, path: list[bytes]) -> bytes:
    """Return the root to which a path leads (RFC 9162, 2.1.3.2)."""
    if not 0 <= place < size:
        raise Wrong("there is no such line in the log")
    here, last, found = place, size - 1, leaf
    for step in path:
        if last == 0:
            raise Wrong("the path is too long")
        if here & 1 or here == last:
            found = hashlib.sha256(b"\1" + step + found).digest()
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + step).digest()
        here, last = here >> 1, last >> 1
    if last:
        raise Wrong("the path is too short")
    return found


def canonical(value: object) -> bytes:
    """Return the canonical JSON of texts, whole numbers, lists and objects (RFC 8785)."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        inside = b",".join(canonical(key) + b":" + canonical(value[key]) for key in keys)
        return b"{" + inside + b"}"
    if isinstance(value, float):
        raise Wrong("a line of the log holds a number that is not whole")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# --------------------------------------------------------------------------------------- the checks


def check_log(trust: dict[str, Any], proof: bytes, certificate: bytes) -> tuple[str, str]:
    """Return what was shown, and under which entry its status is kept; Wrong says why not."""
    head, blank, note = proof.partition(b"\n\n")
    lines = head.decode("ascii").split("\n")
    if not blank or len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1":
        raise Wrong("the proof is damaged")
    extra = json.loads(exact(lines[1].removeprefix("extra ")))
    index = lines[2].removeprefix("index ")
    if not re.fullmatch("0|[1-9][0-9]{0,18}", index):
        raise Wrong("the proof names no line")
    subject = extra["subject"]
    digest = hashlib.sha256(certificate).hexdigest()
    role = "pdf" if certificate.startswith(b"%PDF-") else "dcc"
    if subject["status"] != "issued" or subject["files"].get(role) != digest:
        raise Wrong(
            "the proof is of another file: this one was changed, or the proof belongs elsewhere"
        )
    commit = hashlib.sha256(b"cal-leaf/v1\0" + bytes.fromhex(extra["salt"]) + canonical(subject))
    line = {"commit": commit.hexdigest(), "lab": subject["lab"], "type": "issued", "v": 1}
    leaf = hashlib.sha256(b"\0" + canonical(line)).digest()
    logs, witnesses, groups, quorum = read_policy(trust["policy"])
    text, by = signers(note, [*logs, *witnesses.values()])
    origin, size, root, end = text.split("\n")
    if origin != trust["origin"] or origin not in by or end:
        raise Wrong("the head of the log is not signed by the log you trust")
    path = [exact(one) for one in lines[3:]]
    if root_from(leaf, int(index), int(size), path) != exact(root):
        raise Wrong("the path does not lead to the signed root")
    if not quorum_met(quorum, witnesses, groups, by):
        raise Wrong("too few witnesses cosigned")
    if subject["lab"] not in trust["labs"]:
        raise Wrong(f"laboratory {subject['lab']} is none you trust")
    seen = ", ".join(name for name in by if name != origin) or "no witness"
    words = (
        f"certificate {subject['number']} of laboratory {subject['lab']}: exactly these bytes are "
        f"line {index} of {size} in {origin}; seen by {seen}"
    )
    return words, subject["entry"]


def read_policy(
    text: str,
) -> tuple[list[Key], dict[str, Key], dict[str, tuple[int, list[str]]], str]:
    """Return logs, witnesses, groups and the quorum."""
    logs: list[Key] = []
    witnesses: dict[str, Key] = {}
    groups: dict[str, tuple[int, list[str]]] = {}
    quorum = "none"
    for line in text.split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "log":
            logs.append(read_key(words[1]))
        elif words[0] == "witness":
            witnesses[words[1]] = read_key(words[2])
        elif words[0] == "group":
            needed = {"all": len(words) - 3, "any": 1}.get(words[2]) or int(words[2])
            groups[words[1]] = (needed, words[3:])
        elif words[0] == "quorum":
            quorum = words[1]
        else:
            raise Wrong("the policy is damaged")
    return logs, witnesses, groups, quorum


def quorum_met(
    name: str,
    witnesses: dict[str, Key],
    groups: dict[str, tuple[int, list[str]]],
    by: list[str],
) -> bool:
    """Answer whether enough witnesses cosigned."""
    if name == "none":
        return True
    if name in witnesses:
        return witnesses[name][0] in by
    needed, members = groups[name]
    return sum(quorum_met(member, witnesses, groups, by) for member in members) >= needed


def check_status(
    trust: dict[str, Any], status: bytes, named: str, now: datetime
) -> tuple[int, str]:
    """Return (0 stands, 1 ended, 2 unknown) and words."""
    text, by = signers(status, [read_key(one["key"]) for one in trust["statuses"]])
    header, origin, issued, until, _size, *rows = text[:-1].split("\n")
    if header != "calib-status/1" or origin != trust["origin"] or not by:
        return 2, "the status list is not signed by a key you trust"
    for row in rows:
        entry, state, day = row.split(" ")
        if entry == named:
            return 1, f"{state} since {day}"
    if not instant(issued) <= now < instant(until):
        return 2, f"the status list was good until {until}: what happened since is not known"
    return 0, f"it stands, by the list that is good until {until}"


def instant(text: str) -> datetime:
    """Read a UTC instant."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def write_line(*words: object) -> None:
    """Write one line."""
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")


def main(arguments: list[str]) -> int:
    """Run the checks; print one line for each."""
    options = {}
    files = []
    rest = iter(arguments)
    for word in rest:
        if word in ("--status", "--at"):
            options[word] = next(rest, "")
        else:
            files.append(word)
    if not 2 <= len(files) <= 3:
        write_line(__doc__ or "")
        return 3
    trust = json.loads(Path(files[0]).read_bytes())
    certificate = Path(files[1]).read_bytes()
    proof = Path(files[2]) if len(files) == 3 else Path(files[1]).with_suffix(".tlog-proof")
    now = instant(options["--at"]) if "--at" in options else datetime.now(UTC)
    try:
        if not proof.exists():
            write_line(f"not established  log: there is no proof {proof}")
            return 2
        words, entry = check_log(trust, proof.read_bytes(), certificate)
        write_line("established      log:", words)
        if "--status" not in options:
            write_line("not established  status: no status list was given")
            return 2
        status = Path(options["--status"]).read_bytes()
        code, words = check_status(trust, status, entry, now)
        write_line(
            ("established      ", "contradicted     ", "not established  ")[code] + "status:", words
        )
        write_line("not looked at    seal, pages and computation: calib authenticate does that")
        return code
    except (Wrong, ValueError, KeyError, TypeError, IndexError) as problem:
        write_line("contradicted    ", problem)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
