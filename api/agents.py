"""What a browser says it is, in the words of people: "Firefox on Windows".

It decides nothing: whoever asks writes it as they like. Names are those of the makers.
"""

from __future__ import annotations

import re

from calib.i18n import translate

PROGRAMS = (
    # those that name others too come before the others
    ("MicroMessenger/", "WeChat"), ("DingTalk/", "DingTalk"), ("QQBrowser/", "QQ Browser"),
    ("UCBrowser/", "UC Browser"), ("HuaweiBrowser/", "Huawei Browser"),
    ("MiuiBrowser/", "Mi Browser"), ("SamsungBrowser/", "Samsung Internet"),
    ("OPR/", "Opera"), ("Edg/", "Edge"), ("EdgA/", "Edge"), ("EdgiOS/", "Edge"),
    ("FxiOS/", "Firefox"), ("Firefox/", "Firefox"), ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chromium"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("OpenHarmony", "HarmonyOS"), ("HarmonyOS", "HarmonyOS"), ("Android", "Android"),
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
MOST = 60
"""Characters of what is no browser: a program says its name first."""


def agent_words(agent: str, language: str) -> str:
    """Return what a sign-in came from; what is no known browser by the name it gives itself."""
    program = _first(PROGRAMS, agent)
    inner = re.search(r"\(([^)]*)\)", agent)
    system = _first(SYSTEMS, inner[1] if inner else agent)
    if program and system:
        return translate("{program} on {system}", language, program=program, system=system)
    return program or agent[:MOST] or translate("unknown program", language)


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in names if mark in text), "")
