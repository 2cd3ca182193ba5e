"""Witnesses that never go back, logs that ask them, and somebody who watches from outside."""

import base64
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from calib.adapters.log_files import FileAnchor
from calib.ledger.chain import leaf_of
from calib.ledger.checkpoints import Checkpoint, read_checkpoint
from calib.ledger.merkle import consistency_proof, leaf_hash, nodes_of, root
from calib.ledger.notes import COSIGNATURE, cosigners, read_note
from calib.ledger.policies import read_policy
from calib.ledger.tiles import ENTRIES, bundle_of, bundles_of, path_of, tile_content, tiles_of
from calib.ledger.witnessing import request_of
from calib.services.log import add_cosignatures, grow, published
from calib.services.statuses import LIFETIME, published_status, renew_status
from calib.services.witnessing import Witness, ask_witnesses
from calib.verifier.watching import watch
from instruments.errors import Conflict, Invalid, Refused, Unavailable
from tests.ledger.keys import Key, note
from tests.services.test_log import LAB, NOW, Place

WITNESS = Key("witness.example/w", COSIGNATURE)
LEAVES = nodes_of([leaf_hash(str(i).encode()) for i in range(64)])


def clock():
    return NOW


@pytest.fixture
def witness(tmp_path):
    return Witness(
        WITNESS.note_key,
        WITNESS._key.sign,  # the tests' own key
        {LAB.note_key.name: (LAB.note_key,)},
        lambda origin: FileAnchor(tmp_path / "witness" / origin.replace("/", "_")),
        clock,
    )


@pytest.fixture
def place(tmp_path):
    there = Place(tmp_path)
    yield there
    there.engine.dispose()


def head(size):
    return Checkpoint(LAB.note_key.name, size, root(size, LEAVES))


def body(old, new):
    proof = consistency_proof(old, new, LEAVES)
    return request_of(old, [base64.b64encode(one).decode() for one in proof], note(head(new), LAB))


def test_a_witness_cosigns_what_continues_and_nothing_else(witness):
    assert witness.add_checkpoint(b"nonsense").status == 400
    said = witness.add_checkpoint(body(0, 7))
    assert said.status == 200
    whole = str(note(head(7), LAB)).encode() + said.body.encode()
    (seen,) = cosigners(read_note(whole), [WITNESS.note_key])
    assert seen.seconds == int(NOW.timestamp())
    assert witness.add_checkpoint(body(0, 7)).status == 409
    assert witness.add_checkpoint(body(7, 7)).status == 200
    assert witness.add_checkpoint(body(7, 20)).status == 200
    assert witness.add_checkpoint(body(7, 30)).body == "20\n"
    stranger = Key("other.example/log")
    other = Checkpoint("other.example/log", 7, root(7, LEAVES))
    assert witness.add_checkpoint(request_of(0, [], note(other, stranger))).status == 404


def test_two_requests_at_once_never_turn_a_witness_back(witness):
    """A thousand races of a smaller and a larger head: what is kept only grows."""
    rng = random.Random(7)  # noqa: S311
    kept = witness.kept(LAB.note_key.name)
    rolled_back = 0
    size = 1
    assert witness.add_checkpoint(body(0, 1)).status == 200
    for _ in range(1000):
        if size > 50:
            kept.replace(kept.load(), str(note(head(1), LAB)).encode())  # a new round
            size = 1
        small = size + rng.randint(1, 3)
        both = [body(size, small), body(size, small + rng.randint(1, 3))]
        with ThreadPoolExecutor(2) as together:
            answers = list(together.map(witness.add_checkpoint, both))
        cosigned = [a for a in answers if a.status == 200]
        now = read_checkpoint(read_note(kept.load())).size
        rolled_back += len(cosigned) != 1 or now <= size
        size = now
    assert rolled_back == 0


def asking(witness):
    """Return a post that reaches the witness, and what it was asked."""
    asked = []

    def post(address, content):
        asked.append(address)
        if "silent" in address:
            raise Unavailable("address-silent", "nobody")
        said = witness.add_checkpoint(content)
        return said.status, said.body.encode()

    return post, asked


def policy(*addresses, key=WITNESS):
    lines = [f"witness w{i} {k.note_key} {a}" for i, (a, k) in enumerate(addresses)]
    return read_policy(f"log {LAB.note_key}\n" + "\n".join(lines) + "\nquorum none\n")


def test_a_log_gets_its_heads_cosigned_as_it_grows(place, witness):
    post, asked = asking(witness)
    trusted = policy(("https://w.example/", WITNESS))
    for step in (3, 300, 1):
        place.append(step)
        grow(place.log, clock)
        seen = published(place.log)
        lines, failed = ask_witnesses(place.log, seen, trusted, post)
        assert failed == ()
        add_cosignatures(place.log, seen, lines, NOW)
        served = published(place.log).note
        (by,) = cosigners(served, [WITNESS.note_key])
        assert by.note_key == WITNESS.note_key
    assert asked[0] == "https://w.example/add-checkpoint"
    assert len(asked) == 5  # once for the first head, then each time once to learn the size


def test_a_witness_that_fails_is_named_and_stops_nothing(place, witness):
    place.append(3)
    grow(place.log, clock)
    post, _ = asking(witness)
    other = Key("another.example", COSIGNATURE)
    trusted = policy(
        ("https://silent.example", Key("silent.example", COSIGNATURE)),
        ("https://w.example", other),
        ("https://w.example", WITNESS),
    )
    lines, failed = ask_witnesses(place.log, published(place.log), trusted, post)
    assert [line.name for line in lines] == ["witness.example/w"]
    assert [one.code for one in failed] == ["witness-silent", "witness-silent"]


def test_a_log_turned_back_gets_no_cosignature(place, witness, tmp_path):
    post, _ = asking(witness)
    place.append(9)
    grow(place.log, clock)
    trusted = policy(("https://w.example", WITNESS))
    ask_witnesses(place.log, published(place.log), trusted, post)
    other = Place(tmp_path / "fork")
    other.append(9, words="other")
    grow(other.log, clock)
    lines, (failed,) = ask_witnesses(other.log, published(other.log), trusted, post)
    assert (lines, failed.code) == ((), "witness-silent")
    other.append(4, words="other")
    grow(other.log, clock)
    lines, (failed,) = ask_witnesses(other.log, published(other.log), trusted, post)
    assert lines == ()
    assert "422" in str(failed.facts["reason"])
    other.engine.dispose()


class Served:
    """A log as it is served, made from lines; bent by the tests."""

    def __init__(self, lines, key=LAB):
        """Write all files."""
        entries = [line.encode() for line in lines]
        nodes = nodes_of([leaf_hash(entry) for entry in entries])
        size = len(entries)
        self.head = Checkpoint(LAB.note_key.name, size, root(size, nodes))
        self.files = {f"tile/{t.path()}": tile_content(t, nodes) for t in tiles_of(size)}
        for at, width in bundles_of(size):
            path = f"tile/{path_of(ENTRIES, at, width)}"
            self.files[path] = bundle_of(entries[at * 256 : at * 256 + width])
        self.files["checkpoint"] = str(note(self.head, key)).encode()

    def fetch(self, path):
        return self.files[path]


def lines_of(count, lab="L1"):
    return [leaf_of("issued", f"{i:032x}", {"lab": lab, "number": str(i)}) for i in range(count)]


def test_who_watches_sees_it_grow_and_knows_its_own_lines():
    lines = lines_of(700)
    seen = None
    for size in (0, 1, 256, 300, 700):
        served = Served(lines[:size])
        watched = watch(served.fetch, LAB.note_key, seen, "L1", lines)
        assert watched.findings == ()
        assert watched.head == served.head
        seen = watched.head


def test_a_line_in_ones_name_that_nobody_wrote_is_told():
    own = lines_of(300)
    foreign = leaf_of("issued", "ab" * 16, {"lab": "L1", "number": "forged"})
    other = leaf_of("issued", "cd" * 16, {"lab": "L2", "number": "theirs"})
    served = Served([*own, other, foreign])
    first = watch(Served(own).fetch, LAB.note_key, None, "L1", own).head
    watched = watch(served.fetch, LAB.note_key, first, "L1", own)
    assert [(f.code, f.facts["place"]) for f in watched.findings] == [("log-line-unknown", 301)]
    assert watch(served.fetch, LAB.note_key, first).findings == ()


def test_a_rewritten_history_is_told():
    lines = lines_of(300)
    first = watch(Served(lines).fetch, LAB.note_key, None).head
    rewritten = [*lines[:10], lines_of(1, "L9")[0], *lines[11:], *lines_of(5)]
    for served in (Served(rewritten), Served(lines[:200])):
        with pytest.raises(Refused) as stop:
            watch(served.fetch, LAB.note_key, first)
        assert stop.value.code == "log-forked"


def test_a_head_by_another_key_is_nobodys():
    with pytest.raises(Refused) as stop:
        watch(Served(lines_of(3), Key(LAB.note_key.name, seed="x")).fetch, LAB.note_key, None)
    assert stop.value.code == "log-head-foreign"


def test_every_file_that_is_bent_is_noticed():
    lines = lines_of(600)
    clean = Served(lines)
    noticed = {}
    for path, content in clean.files.items():
        for bent in (content[:-1], bytes([content[0] ^ 1]) + content[1:], content[:-1] + b"\0"):
            served = Served(lines)
            served.files[path] = bent
            try:
                watch(served.fetch, LAB.note_key, None)
                noticed[path] = False
                break
            except (Conflict, Invalid, Refused):
                noticed[path] = True
    assert all(noticed.values()), noticed
    assert len(noticed) == len(clean.files) == 8


def test_other_entries_under_the_same_root_are_noticed():
    """Entries and lowest tile changed together, the tile above left as it was."""
    lines = lines_of(600)
    bent = [*lines[:3], lines_of(1, "L9")[0], *lines[4:]]
    served = Served(lines)
    for path in ("tile/entries/000", "tile/0/000"):
        served.files[path] = Served(bent).files[path]
    with pytest.raises(Conflict) as stop:
        watch(served.fetch, LAB.note_key, None)
    assert stop.value.code == "log-file-unfit"


STATUS = Key("lab.example/log/status")


def test_a_list_is_made_once_and_renewed_in_time(place):
    place.append(2)
    times = iter([NOW, NOW + LIFETIME / 4, NOW + LIFETIME / 2, NOW + LIFETIME])
    made = [
        renew_status(place.engine, place.files, "lab.example/log", STATUS.line, lambda: next(times))
        for _ in range(4)
    ]
    assert [one.issued_at for one in made] == [
        NOW,
        NOW,
        NOW + LIFETIME / 2,
        NOW + LIFETIME,
    ]
    assert made[0].size == 2
    assert published_status(place.files) == made[-1]
    assert json.dumps(made[0].text()) == json.dumps(made[1].text())


def test_a_damaged_list_is_made_anew(place):
    first = renew_status(place.engine, place.files, "o/log", STATUS.line, clock)
    place.files.write("list", b"damaged")
    assert published_status(place.files) is None
    assert renew_status(place.engine, place.files, "o/log", STATUS.line, clock) == first


def test_a_clock_with_parts_of_seconds_reads_back(place):
    at = datetime(2026, 3, 2, 8, 30, 1, 250_000, tzinfo=UTC)
    made = renew_status(place.engine, place.files, "o/log", STATUS.line, lambda: at)
    assert made == replace(made, issued_at=at.replace(microsecond=0))
    assert published_status(place.files) == made
