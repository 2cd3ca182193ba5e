"""The verifier in JavaScript, in a real browser, held to the vectors of the others."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from calib.ledger.trust import TrustedKey
from instruments.text import LocalizedText
from tests.support.served import Served
from tests.support.vectors import Read, by_python, mutations, read_vectors
from tests.vectors.parts import AT, MARK, TOKEN, TRUST, listed

pytestmark = pytest.mark.browser
JUDGE = """async ({ files, at, isCode }) => {
  const { examineCode, examineFile } = await import("/static/authenticate/examine.js");
  const { readTrust } = await import("/static/authenticate/trust.js");
  const bytes = (text) =>
    text === null ? null : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  let trust = null;
  try {
    if (files.trust) trust = await readTrust(bytes(files.trust));
  } catch (problem) {
    if (!problem.code) throw problem;
    return { verdict: "cannot_tell", steps: [["trust", "contradicted", problem.code]] };
  }
  const [proof, status] = [bytes(files.proof), bytes(files.status)];
  const examine = isCode ? examineCode : examineFile;
  const report = await examine(bytes(files.content), { trust, proof, status, now: Date.parse(at) });
  return { verdict: report.verdict, steps: report.steps.map((s) => [s.id, s.state, s.message]) };
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, site: Served) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{site.address}/sign-in")
    yield opened
    context.close()


def by_browser(page: Page, vector: Read) -> dict[str, Any]:
    def coded(name: str) -> str | None:
        content = vector.files.get(name)
        return None if content is None else base64.b64encode(content).decode()

    files = {
        "content": base64.b64encode(vector.content).decode(),
        "trust": coded("trust.json"),
        "proof": coded("certificate.tlog-proof"),
        "status": coded("status.txt"),
    }
    given = {"files": files, "at": vector.expected["at"], "isCode": vector.is_code}
    return page.evaluate(JUDGE, given)


def differs(page: Page, vector: Read) -> object:
    """Return what the browser says where it differs from the program, None where it does not."""
    ours, theirs = by_python(vector), by_browser(page, vector)
    steps = {id_: (state, message) for id_, state, message in theirs["steps"]}
    expected = {id_: (state, ours.messages[id_]) for id_, state in ours.steps.items()}
    if "trust" in steps:
        steps, expected = {"trust": steps["trust"][:1]}, {"trust": expected["trust"][:1]}
    same = theirs["verdict"] == ours.verdict and steps == expected
    return None if same else (theirs, asdict(ours))


def test_it_says_of_every_vector_what_the_program_says(page: Page):
    vectors = read_vectors()
    other = {one.name: found for one in vectors if (found := differs(page, one))}
    assert other == {}
    assert len(vectors) > 150


def test_it_says_the_same_of_what_was_changed_on_the_way(page: Page):
    other = {one.name: found for one in mutations(400) if (found := differs(page, one))}
    assert other == {}


def test_people_compare_the_same_fingerprint_everywhere(page: Page):
    """The one the browser shows is the one that is told at the terminal."""
    key = TrustedKey(str(MARK.note_key), "L1", "2026-01-01T00:00:00Z", compromised_size="7")
    named = {"L1": (LocalizedText(zh="一"), LocalizedText(en="Before"))}
    for trust in (
        TRUST,
        replace(TRUST, made_at="", labs={}, marks=(), statuses=()),
        replace(TRUST, marks=(key,), labs=named, roots=("root",), seals=(key,)),
        replace(TRUST, time_roots=("authority",)),
    ):
        found = page.evaluate(
            """async (text) => {
              const { readTrust } = await import("/static/authenticate/trust.js");
              return (await readTrust(new TextEncoder().encode(text))).fingerprint;
            }""",
            trust.canonical().decode(),
        )
        assert found == trust.fingerprint()


def test_a_list_is_kept_only_by_a_key_that_is_not_given_up(page: Page):
    """What the page keeps for later is held to the same as what it shows."""
    now = "2026-03-02T08:30:00Z"
    believed = """async ({ trust, status, at }) => {
      const { believedList } = await import("/static/authenticate/pins.js");
      const { readTrust } = await import("/static/authenticate/trust.js");
      const bytes = (text) => new TextEncoder().encode(text);
      const bundle = await readTrust(bytes(trust));
      return (await believedList(bytes(status), bundle, Date.parse(at)))?.until ?? null;
    }"""
    vectors = {one.name: one for one in read_vectors() if "status.txt" in one.files}
    for name, expected in (
        ("pass/status-of-this-second", "2026-03-03T08:30:00Z"),
        ("pass/status-of-ten-years-within-its-week", "2026-03-02T08:30:01Z"),
        ("fail/status-key-given-up-since", None),
        ("fail/status-key-compromised", None),
        ("fail/status-signed-by-another-key", None),
    ):
        files = vectors[name].files
        given = {"trust": files["trust.json"].decode(), "status": files["status.txt"].decode()}
        assert page.evaluate(believed, {**given, "at": now}) == expected, name


def test_the_newest_list_counts_in_whatever_order_they_came(page: Page):
    """An older list that somebody drops on the page takes no newer one's place."""
    old, new = listed({}, issued=AT - timedelta(hours=2)), listed({TOKEN: "withdrawn"})
    newest = """async ({ trust, lists, at }) => {
      const { newestList } = await import("/static/authenticate/pins.js");
      const { readTrust } = await import("/static/authenticate/trust.js");
      const bytes = (text) => (text === null ? null : new TextEncoder().encode(text));
      const bundle = trust && (await readTrust(bytes(trust)));
      const found = await newestList(lists.map(bytes), bundle, Date.parse(at));
      return found && new TextDecoder().decode(found);
    }"""
    trust, at = TRUST.canonical().decode(), AT.isoformat()
    for pinned, lists, expected in (
        (trust, (old, new), new),
        (trust, (new, old), new),
        (trust, (None, old), old),
        (trust, (old, b"no list"), old),
        (trust, (b"no list", None), b"no list"),
        (None, (None, old), old),
        (trust, (None, None), None),
    ):
        given = [one and one.decode() for one in lists]
        found = page.evaluate(newest, {"trust": pinned, "lists": given, "at": at})
        assert found == (expected and expected.decode()), lists


def test_hashes_and_signatures_are_right_without_the_help_of_the_browser(page: Page):
    """On a page that came by plain HTTP a browser offers neither."""
    lengths = (0, 3, 55, 56, 63, 64, 111, 112, 128, 1000)
    found = page.evaluate(
        """async (lengths) => {
          const { compute } = await import("/static/authenticate/hashing.js");
          const { hex } = await import("/static/authenticate/bytes.js");
          return lengths.map((n) => {
            const bytes = Uint8Array.from({ length: n }, (_, k) => (k * 7) & 255);
            return [hex(compute(32, bytes)), hex(compute(64, bytes))];
          });
        }""",
        list(lengths),
    )
    contents = [bytes(k * 7 & 255 for k in range(n)) for n in lengths]
    assert found == [
        [hashlib.sha256(c).hexdigest(), hashlib.sha512(c).hexdigest()] for c in contents
    ]


def test_signatures_on_whole_numbers_are_those_of_the_library(page: Page):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    cases = []
    for n in range(12):
        key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(bytes([n])).digest())
        public, message = key.public_key().public_bytes_raw(), bytes([n]) * n
        signature = key.sign(message)
        bent = bytearray(signature)
        bent[n * 5] ^= 1 << n % 8
        cases += [(public, message, signature), (public, message, bytes(bent))]
        cases += [(public, message + b"x", signature), (public[::-1], message, signature)]
    coded = [[list(part) for part in case] for case in cases]
    found = page.evaluate(
        """async (cases) => {
          const { isSignedByNumbers } = await import("/static/authenticate/ed25519.js");
          const answers = [];
          for (const parts of cases) {
            answers.push(await isSignedByNumbers(...parts.map((part) => Uint8Array.from(part))));
          }
          return answers;
        }""",
        coded,
    )
    assert found == [True, False, False, False] * 12
