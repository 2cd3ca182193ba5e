"""Passwords that whoever guesses tries first: common words dressed up, rows of keys, dates.

A rule instead of a list: what is left of a password without the figures and signs around it, with
figures that stand for letters read as these, is a common word, a word of this trade, one or two of
them in a row, or a run over the keyboard. Whoever has a list of passwords that leaked names it
besides. Knows no person.
"""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from pathlib import Path

MOST_AROUND = 8
"""Figures and signs around a word that do not make it a password."""
LONGEST_NUMBER = 12
"""Figures alone up to here are a date, a telephone number or a run."""
_LETTERS = str.maketrans("013457@$!", "oieastasi")
_RUNS = (
    *("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "0123456789"),
    *("abcdefghijklmnopqrstuvwxyz", "qazwsxedcrfvtgbyhnujmikolp", "1qaz2wsx3edc4rfv5tgb6yhn"),
    *("1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0"),
)
_OF_THIS_PLACE = """
calib calibration calibrate calibrated laboratory lab labor metrology metrologist thermometer
thermometry temperature instrument certificate measurement uncertainty jiaozhun jianding jiliang
shiyanshi wenduji zhengshu technician reviewer signatory manager administrator customer venue
operator regulator hospital institute
"""
OF_THIS_PLACE = frozenset(_OF_THIS_PLACE.split())
"""Words of this program, its trade and its roles."""
_COMMON = """
password passwort passw pass word secret admin root user guest login welcome hello letmein
access master test tester testing default changeme temp temporary server system network computer
internet windows google facebook youtube linkedin samsung android apple iphone love loveyou
iloveyou lovely lover babygirl baby angel angels princess prince queen king sunshine summer
winter spring autumn monday tuesday wednesday thursday friday saturday sunday january february
march april june july august september october november december football baseball basketball
soccer hockey tennis golf liverpool arsenal chelsea barcelona realmadrid juventus manchester
united rangers lakers yankees cowboys steelers dragon monkey tiger lion eagle falcon panther
wolf bear horse dolphin butterfly kitty kitten puppy doggie chicken rabbit turtle spider snake
phoenix unicorn superman batman spiderman ironman starwars matrix pokemon naruto pikachu gandalf
hobbit hogwarts harrypotter frodo mickey minnie snoopy garfield simpsons michael jennifer
jessica ashley daniel andrew joshua matthew anthony robert thomas william charlie jordan hunter
harley ranger buster george maggie pepper ginger cookie chocolate cheese banana orange cherry
strawberry coffee vodka whiskey pizza michelle danielle samantha elizabeth stephanie christina
christine christopher christian jonathan alexander alexandra alexandre nicholas nicole natalie
vanessa victoria veronica patricia patrick benjamin brandon brandy brittany courtney heather
melissa amanda sandra barbara rebecca jasmine madison morgan taylor austin dallas boston london
paris newyork america american canada mexico germany france england scotland ireland australia
china chinese beijing shanghai hangzhou zhongguo woaini woaiwojia nihao zhang wang chen liu yang
huang zhao zhou xiao wangyi taobao tencent weixin marlboro mercedes porsche ferrari corvette
mustang camaro yamaha suzuki honda toyota nissan slipknot metallica nirvana beatles eminem
rockstar guitar music dancer dance player gamer minecraft fortnite counter strike killer hacker
ninja warrior soldier marine sniper freedom forever family friends friend mother father sister
brother daughter grandma jesus christ blessed heaven church faith grace trinity gabriel
beautiful pretty hottie sexy sweet sweetie sugar honey cutie lucky happy smile flower rose
diamond crystal silver golden purple yellow green black white blue red shadow midnight thunder
lightning storm ocean river mountain rainbow star stars moon galaxy cosmos trustno whatever
nothing something anything please remember forget money dollar million business company office
school student teacher doctor nurse college university
"""
COMMON = frozenset(_COMMON.split())


def is_guessable(password: str) -> bool:
    """Answer whether a password is one of those that are tried first."""
    plain = password.lower()
    if not any(c.isalpha() for c in plain):
        return len(plain) <= LONGEST_NUMBER or _is_short_and_repeated(plain)
    return any(
        _is_word(core) and len(plain) - len(core) <= MOST_AROUND for core in _cores(plain)
    ) or _is_short_and_repeated(plain)


def _cores(plain: str) -> set[str]:
    """Return what may be meant by a password, without spaces and what stands around it."""
    tight = "".join(plain.split())
    bare = re.sub(r"^[^a-z]+|[^a-z]+$", "", tight)
    read = bare.translate(_LETTERS)
    whole = re.sub(r"^[^a-z]+|[^a-z]+$", "", tight.rstrip("!").translate(_LETTERS))
    return {tight, bare, read, whole}


def _is_word(core: str) -> bool:
    known = COMMON | OF_THIS_PLACE
    if core in known or _is_run(core):
        return True
    return any(core[:cut] in known and core[cut:] in known for cut in range(3, len(core) - 2))


def _is_run(core: str) -> bool:
    """Answer whether keys follow one another, either way."""
    ways = [way for run in _RUNS for way in (run, run[::-1])]
    return len(core) >= 3 and all(any(a + b in way for way in ways) for a, b in pairwise(core))


def _is_short_and_repeated(plain: str) -> bool:
    """Answer whether a few letters stand there again and again."""
    return any(
        plain == (plain[:size] * len(plain))[: len(plain)]
        for size in range(1, min(7, len(plain) // 2 + 1))
    )


def is_leaked(password: str, file: Path) -> bool:
    """Answer whether a file of leaked passwords holds it.

    The file holds sorted lines that begin with a SHA-1 in capitals, as collections of leaked
    passwords are handed out; it is searched and never read as a whole.
    """
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with file.open("rb") as lines:
        low, high = 0, lines.seek(0, 2)
        while low < high:
            middle = (low + high) // 2
            lines.seek(middle)
            if middle:
                lines.readline()
            found = lines.readline()[: len(wanted)]
            if found == wanted:
                return True
            if not found or found > wanted:
                high = middle
            else:
                low = middle + 1
        lines.seek(0)
        return lines.readline()[: len(wanted)] == wanted
