"""What a browser calls itself, in words; what nobody knows by its own name."""

from __future__ import annotations

import pytest

from api.agents import agent_words

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
SAID = {
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/140.0.0.0 Safari/537.36":
        "Chromium on Linux",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36":
        "Chrome on Windows",
    f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":
        "Edge on Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0":
        "Firefox on macOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.6 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    f"Mozilla/5.0 (Linux; Android 15; V2241A) {WEBKIT} Version/4.0 Chrome/130.0.0.0 Mobile "
    "Safari/537.36 MicroMessenger/8.0.61": "WeChat on Android",
    f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {WEBKIT} Chrome/132.0.0.0 Safari/537.36 ArkWeb/6.0 "
    "Mobile HuaweiBrowser/5.1": "Huawei Browser on HarmonyOS",
    "calib-logger/2.1 (bench 3)": "calib-logger/2.1 (bench 3)",
    "": "unknown program",
}  # fmt: skip


@pytest.mark.parametrize(("agent", "words"), SAID.items())
def test_a_sign_in_is_told_by_browser_and_system(agent, words):
    assert agent_words(agent, "en") == words


def test_it_is_told_in_chinese_and_never_at_length():
    agent = next(iter(SAID))
    assert agent_words(agent, "zh") == "Linux 上的 Chromium"
    assert len(agent_words("x" * 500, "en")) == 60
