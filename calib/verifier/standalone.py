"""Check certificates that left the laboratory, with Python alone: no program, no network.

    python3 verify.py trust.json certificate.pdf [certificate.tlog-proof] [--status status.txt]

Instead of the PDF: its XML, or the text of a code. It answers whether exactly these bytes were
logged by the laboratory's installation, who saw it, or whose a code is; and whether the newest
status list lets the certificate stand. It shares no code with the program.

Exit codes: 0 logged and standing, 1 not genuine or no longer standing, 2 cannot tell, 3 no input.
"""

import base64
import hashlib
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Point = tuple[int, int, int, int]  # of the curve of Ed25519 (RFC 8032, 5.1)
Shown = tuple[str, str]  # words, and the entry in the status list
Key = tuple[str, int, bytes]  # name, type and public key
Groups = dict[str, tuple[int, list[str]]]  # of witnesses: how many must have signed, of which
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
LONGEST = timedelta(days=7)  # a status list is believed, whatever it says of itself
STATES = ("established     ", "contradicted    ", "not established ", "not usable      ")
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
        found = _add(found, point) if n & 1 else found
        point, n = _add(point, point), n >> 1
    return found


def _point(text: bytes) -> Point | None:
    number = int.from_bytes(text, "little")
    x = _x_of(y := number & ((1 << 255) - 1), number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def signed_by(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Answer whether the key signed the message."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = _point(public_key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little")
    p, q = _times(s, BASE), _add(commitment, _times(h % L, key))
    return not ((p[0] * q[2] - q[0] * p[2]) % P or (p[1] * q[2] - q[1] * p[2]) % P)


class Wrong(Exception):
    """What was shown to be wrong, in words."""


class Unsure(Wrong):
    """What can be shown neither way, in words."""


class Simulated(Wrong):
    """Everything fits, and the readings were simulated."""


def exact(text: str) -> bytes:
    """Read base64, refusing a second text for the same bytes."""
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        content = b""
    if base64.b64encode(content).decode() != text:
        raise Wrong("a base64 text is damaged, or not the one text of its content")
    return content


def read_key(text: str, kind: int = 1) -> Key:
    """Return (name, type, public key) of a line ``name+number+base64``; type 4 is of witnesses."""
    name, number, body = text.split("+", 2)
    content = exact(body)
    wanted = key_number(name, content[0], content[1:]).hex()
    if (number, len(content), content[0]) != (wanted, 33, kind):
        raise Wrong(f"the key of {name} is damaged")
    return name, content[0], content[1:]


def key_number(name: str, kind: int, key: bytes) -> bytes:
    """Return the four bytes before each signature of a key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def signers(note: bytes, keys: list[Key], latest: float = 0) -> tuple[str, list[Key]]:
    """Return the text of a note, and which of the keys signed it, witnesses not after `latest`."""
    text, blank, tail = note.decode("utf-8").rpartition("\n\n")
    lines = tail.split("\n")
    control = len(note) > 65536 or any(c < " " and c != "\n" for c in text)
    if control or not (blank and text and lines.pop() == "" and 0 < len(lines) <= 64):
        raise Wrong("a signed text is damaged")
    text += "\n"
    found: list[Key] = []
    for line in lines:
        dash, name, encoded = line.split(" ")
        content = exact(encoded)
        if dash != "—" or len(content) < 5:
            raise Wrong("a signature line is damaged")
        for key in keys:
            if (key[0], key_number(*key)) == (name, content[:4]):
                seconds = _fitting(key, text, content[4:])
                found += [key] if key not in found and seconds <= latest else []
    return text, found


def _fitting(key: Key, text: str, content: bytes) -> int:
    """Return the second at which a witness signed, 0 for others; Wrong when it does not fit."""
    message, signature, seconds = text.encode(), content, 0
    if key[1] == 4:
        seconds = int.from_bytes(content[:8], "big")
        message, signature = f"cosignature/v1\ntime {seconds}\n{text}".encode(), content[8:]
    if seconds >= 1 << 63 or not signed_by(key[2], message, signature):
        raise Wrong(f"the signature of {key[0]} does not fit")
    return seconds


def believed(one: dict[str, Any], at: datetime) -> bool:
    """Answer whether what a pinned key signed at this instant may be believed."""
    starts, *ends = map(one.get, ("valid_from", "valid_to", "compromised_at"))
    early = starts and at < instant(starts)
    return not early and not any(end and at >= instant(end) for end in ends)


def given_up(one: dict[str, Any], now: datetime) -> bool:
    """Answer whether a key may be in other hands by now: whoever has it can date things back."""
    return bool(one.get("compromised_at")) and instant(one["compromised_at"]) <= now


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


def check_log(trust: Any, proof: bytes, certificate: bytes, now: datetime | None = None) -> Shown:
    """Return what was shown, and under which entry its status is kept; Wrong says why not."""
    head, blank, note = proof.partition(b"\n\n")
    lines = head.decode("ascii").split("\n")
    starts = ("c2sp.org/tlog-proof@v1", "extra ", "index ")
    if not blank or lines[0] != starts[0] or not all(map(str.startswith, lines[:3], starts)):
        raise Wrong("the proof is damaged")
    extra, index = json.loads(content := exact(lines[1][6:])), lines[2][6:]
    subject, salt = extra["subject"], bytes.fromhex(extra["salt"])
    if canonical({"salt": salt.hex(), "subject": subject}) != content:
        raise Wrong("what the proof says of itself is not in its one form")
    digest = hashlib.sha256(certificate).hexdigest()
    role = "pdf" if certificate.startswith(b"%PDF-") else "dcc"
    if subject["status"] != "issued" or subject["files"].get(role) != digest:
        raise Wrong("the file was changed, or the proof is of another one")
    commit = hashlib.sha256(b"cal-leaf/v1\0" + salt + canonical(subject))
    line = {"commit": commit.hexdigest(), "lab": subject["lab"], "type": "issued", "v": 1}
    leaf = hashlib.sha256(b"\0" + canonical(line)).digest()
    logs, witnesses, groups, quorum = read_policy(trust["policy"])
    latest = (now or datetime.now(UTC)).timestamp() + 86400
    text, by = signers(note, [*logs, *witnesses.values()], latest)
    origin, size, root, end = text.split("\n")
    if origin != trust["origin"] or end or not any(key in logs and key[0] == origin for key in by):
        raise Wrong("forged, or of another laboratory than trust.json: it stands in no log of it")
    path = [exact(one) for one in lines[3:]]
    if len(path) > 63 or any(len(step) != 32 for step in path):
        raise Wrong("the path is damaged")
    if root_from(leaf, whole(index), whole(size), path) != exact(root):
        raise Wrong("the path does not lead to the signed root")
    if not quorum_met(quorum, witnesses, groups, by):
        raise Wrong("too few witnesses cosigned")
    if not trust["labs"].get(subject["lab"]):
        raise Wrong(f"laboratory {subject['lab']} is none you trust")
    if subject.get("simulated") is True:
        raise Simulated(f"the readings of {subject['number']} were simulated: it certifies nothing")
    seen = ", ".join(key[0] for key in by if key not in logs) or "no witness"
    words = f"certificate {subject['number']} of laboratory {subject['lab']}: exactly these bytes "
    return f"{words}are line {index} of {size} in {origin}; seen by {seen}", subject["entry"]


def whole(text: str) -> int:
    """Read a count: decimal, no sign, no leading zero."""
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text):
        raise Wrong(f"{text[:40]!r} is no count")
    return int(text)


def read_policy(text: str) -> tuple[list[Key], dict[str, Key], Groups, str]:
    """Return logs, witnesses, groups and the quorum."""
    logs: list[Key] = []
    witnesses: dict[str, Key] = {}
    groups: Groups = {}
    quorum = ""
    if any(c < " " and c not in "\t\n" for c in text):
        raise Wrong("the policy holds control characters")
    for words in map(str.split, text.split("\n")):
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "log":
            logs.append(read_key(words[1]))
        elif words[0] == "witness":
            witnesses[words[1]] = read_key(words[2], 4)
        elif words[0] == "group":
            needed = {"all": len(words) - 3, "any": 1}.get(words[2]) or int(words[2])
            groups[words[1]] = (needed, words[3:])
        elif words[0] == "quorum" and not quorum:
            quorum = words[1]
        else:
            raise Wrong("the policy is damaged")
    if not quorum:
        raise Wrong("the policy does not say how many witnesses it asks for")
    return logs, witnesses, groups, quorum


def quorum_met(name: str, witnesses: dict[str, Key], groups: Groups, by: list[Key]) -> bool:
    """Answer whether enough witnesses cosigned."""
    if name == "none" or name in witnesses:
        return name == "none" or witnesses[name] in by
    needed, members = groups[name]
    return sum(quorum_met(member, witnesses, groups, by) for member in members) >= needed


def check_status(trust: Any, status: bytes, named: str, now: datetime) -> tuple[int, str]:
    """Return (0 stands, 1 ended, 2 unknown) and words."""
    lines = status.decode("utf-8").rpartition("\n\n")[0].split("\n")
    header, origin, issued, until, size, *rows = lines
    ends = (at := instant(issued)) + min(instant(until) - at, LONGEST)
    known = [one for one in trust["statuses"] if believed(one, at) and not given_up(one, now)]
    keys = [read_key(one["key"]) for one in known]
    if header != "calib-status/1" or origin != trust["origin"] or not signers(status, keys)[1]:
        return 2, "the status list is not signed by a key you trust"
    if whole(size) < 0 or rows != sorted({row.split(" ")[0]: row for row in rows}.values()):
        return 2, "the status list is not in its one form"
    for row in rows:
        entry, state, day = row.split(" ")
        if entry == named:
            return 1, f"{state} since {day}"
    if not at <= now < ends:
        return 2, f"the status list was good until {ends}: what happened since is not known"
    return 0, f"it stands, by the list that is good until {ends}"


def instant(text: str) -> datetime:
    """Read a UTC instant."""
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if at.strftime("%Y-%m-%dT%H:%M:%SZ") != text:
        raise Wrong(f"{text!r} is no instant")
    return at


def exact_url(text: str) -> bytes:
    """Read base64url without padding, refusing a second text for the same bytes."""
    plain = re.sub("[^A-Za-z0-9_-]", "!", text).replace("-", "+").replace("_", "/")
    return exact(plain + "=" * (-len(text) % 4))


def check_mark(trust: dict[str, Any], code: str, now: datetime) -> Shown:
    """Return what a printed code says, and under which entry its status is kept."""
    address, given, fragment = code.strip().partition("#")
    body, _, tail = (fragment or address).partition(".")
    text, signed = exact_url(body).decode("utf-8"), exact_url(tail)
    header, origin, number, kind, issued, until, *rest, end = text.split("\n")
    verdict, item, place, half, entry = rest
    named = re.fullmatch("[a-z_]{1,40} [a-z_]{1,40}", f"{kind} {verdict}") and number and item
    odd = any(c < " " or c == "\x7f" for c in text if c != "\n") or whole(place) < 0
    if header != "calib-mark/1" or end or not named or odd or len(exact_url(half)) != 16:
        raise Wrong("the code holds no mark of a certificate")
    at = instant(f"{issued}T12:00:00Z")
    keys = [(read_key(one["key"]), one) for one in trust["marks"]]
    near = [(key, one) for key, one in keys if key_number(*key) == signed[:4]]
    by = [one for key, one in near if signed_by(key[2], text.encode(), signed[4:])]
    if not by or not believed(by[0], at):
        raise Wrong(f"forged, or of another laboratory than trust.json: no key of {issued}")
    led = re.fullmatch(r"(?a)https?://([A-Za-z0-9.:\[\]-]+)(?:/[\w.~-]+)*/c/([\w-]+)", address)
    host, token = led.groups() if led else (address, "")
    if origin != trust["origin"] or (given and (not led or host != trust["host"])):
        raise Wrong(f"the code leads to {host}, not to {trust['host']}")
    name = hashlib.sha256(b"cal-status/1\0" + token.encode()).digest()[:16]
    if given and name != exact_url(entry):
        raise Wrong("the address of the code was changed: its token is not the one that was signed")
    if given_up(by[0], now):
        raise Unsure("the key of the code was given up since: bring the file and its proof")
    if verdict == "simulated":
        raise Simulated(f"the readings of {number} were simulated: it certifies nothing")
    if until != "-" and instant(f"{until}T23:59:59Z") < now:
        raise Wrong(f"its legal validity ended on {until}")
    words = f"{kind} {number} of laboratory {by[0].get('lab')}, issued on {issued}: {item}, "
    return f"{words}{verdict}; compare that with what lies before you", entry


def write_line(*words: object) -> None:
    """Write one line; nothing that a file says can pass for another."""
    said = "".join(c if c.isprintable() else ascii(c) for c in " ".join(map(str, words)))
    sys.stdout.write(f"{said}\n")


def judged(trust: Any, content: bytes, proof: bytes | None, now: datetime) -> Shown:
    """Return what was shown of a certificate or a code, and its entry in the status list."""
    is_file = re.match(rb"%PDF-|[\xef\xbb\xbf \t\r\n]{0,1023}<", content)
    if not is_file and re.search(rb"\A[ \t\r\n\f\v]*(#|https?:)|[A-Za-z0-9_-]{60}", content):
        return check_mark(trust, content.decode("utf-8"), now)
    shown = check_log(trust, proof, content, now) if proof is not None else ("", "")
    if not is_file:
        raise Unsure("this is no certificate of Calib, or cannot be read: nothing is said of yours")
    if not shown[0]:
        raise Unsure("there is no proof (.tlog-proof) beside it: ask the laboratory for it")
    return shown


def main(arguments: list[str]) -> int:
    """Run the checks; print one line for each."""
    files, options = list(arguments), {}
    for name in ("--status", "--at"):
        if name in files[:-1]:
            options[name] = files.pop(files.index(name) + 1)
            files.remove(name)
    if not 2 <= len(files) <= 3:
        sys.stdout.write(__doc__ or "")
        return 3
    beside = Path(files[2]) if len(files) == 3 else Path(files[1]).with_suffix(".tlog-proof")
    what, code = "time after --at (2026-03-02T08:30:00Z)", 3
    try:
        now = instant(options["--at"]) if "--at" in options else datetime.now(UTC)
        what, code = "trust bundle", 2  # which says nothing of the certificate
        trust = {**json.loads(Path(files[0]).read_bytes())}
        content, what, code = Path(files[1]).read_bytes(), "proof or code", 1
        proof = beside.read_bytes() if len(files) == 3 or beside.exists() else None
        words, entry = judged(trust, content, proof, now)
        write_line(STATES[0], words)
        if "--status" not in options:
            raise Unsure(f"withdrawn since? save https://{trust['host']}/status/list as --status")
        what, code = "status list", 2  # nor does a worthless one
        code, words = check_status(trust, Path(options["--status"]).read_bytes(), entry, now)
    except Wrong as problem:
        code, words = 2 if isinstance(problem, Unsure) else code, str(problem)
    except OSError as problem:
        code, words = 3, f"{problem.filename} cannot be read: {problem.strerror}"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        words = f"this is no {what} that can be read"
    write_line(STATES[code], words)
    write_line("not looked at    seal, pages and computation: calib authenticate does that")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
