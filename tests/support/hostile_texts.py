# ruff: noqa: E501, Q003 -- payloads as they are
"""Texts that would run, were they ever more than texts; and what a browser would run of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import html

CALL = "alert(31337)"
XSS = [
    *(frame.format(CALL) for frame in (
        "<script>{}</script>", "<ScRiPt>{}</sCrIpT>", "<img src=x onerror={}>",
        "<svg onload={}>", "<svg/onload={}//", "<body onload={}>", "<iframe src=javascript:{}>",
        "<a href=javascript:{}>x</a>", "<a href='java&#115;cript:{}'>x</a>", "\"><script>{}</script>",
        "'><script>{}</script>", "\" onmouseover={} x=\"", "' onfocus={} autofocus '",
        "</title><script>{}</script>", "</textarea><script>{}</script>",
        "</option></select><script>{}</script>", "--><script>{}</script>", "<!--<script>{}-->",
        "</script><script>{}</script>", "<details open ontoggle={}>", "<math><mi xlink:href=javascript:{}>",
        "<object data=javascript:{}>", "<embed src=javascript:{}>", "<form action=javascript:{}>",
        "<input onfocus={} autofocus>", "<video><source onerror={}>", "<marquee onstart={}>",
        "<meta http-equiv=refresh content='0;javascript:{}'>", "<base href=javascript:{}//>",
        "<style>@import 'javascript:{}';</style>", "<link rel=stylesheet href=javascript:{}>",
        "<table background=javascript:{}>", "<div style='width:expression({})'>",
        "<x onclick={}>", "<button formaction=javascript:{}>", "<template><script>{}</script>",
        "&lt;script&gt;{}&lt;/script&gt;", "&#60;script&#62;{}&#60;/script&#62;",
        "\\u003cscript\\u003e{}", "%3Cscript%3E{}%3C/script%3E", "<scr<script>ipt>{}</script>",
        "<<script>{}</script>", "<script/src=data:,{}>", "<img src='x' onerror='{}'",
        "javascript:{}", "data:text/html,<script>{}</script>", "\uff1cscript\uff1e{}\uff1c/script\uff1e",
        "<svg><animate onbegin={} attributeName=x>", "<svg><a xlink:href=javascript:{}>",
        "<noscript><p title='</noscript><img src=x onerror={}>'>", "`<script>{}</script>`",
        "<isindex action=javascript:{}>", "<select onchange={}>", "<img srcset=x onerror={}>",
        "<audio src onerror={}>", "<frameset onload={}>", "<applet code=javascript:{}>",
        "<p id=x name=x onpointerover={}>", "{}<!--", "]]><script>{}</script>",
        "<iframe srcdoc='<script>{}</script>'>", "<portal src=javascript:{}>",
    )),
]  # fmt: skip
TEMPLATES = [
    "{{7*191}}", "{{ 7*191 }}", "{%25 print 7*191 %25}", "{% print(7*191) %}", "{{config}}",
    "{{self.__init__.__globals__}}", "{{''.__class__.__mro__}}", "{{request.app}}", "{{cycler}}",
    "{{lipsum.__globals__['os'].popen('id').read()}}", "{# x #}", "{%raw%}", "{%include '/etc/passwd'%}",
    "${7*191}", "#{7*191}", "<%= 7*191 %>", "<%7*191%>", "{7*191}", "{0.__class__}", "{name.__class__}",
    "{number!r:>99999999}", "%(name)s", "%s%s%s%n", "$name", "${name}", "$(id)", "`id`", "#calc(7*191)",
    "#(7*191)", "#eval(\"7*191\")", "#read(\"/etc/passwd\")", "#import \"x.typ\"", "$ 7*191 $",
    "#{ 7*191 }", "@{7*191}", "[[${7*191}]]", "{{= 7*191}}", "{php}echo 7*191{/php}", "*{7*191}",
    "~{7*191}", "{{7*'191'}}", "\\input{/etc/passwd}",
]  # fmt: skip
LOADS = {"src", "href", "action", "formaction", "data", "xlink:href", "srcdoc", "background"}


def running(document: Any) -> Iterator[str]:
    """Yield what a browser would run of a page that is not a file of our own."""
    for element in document.iter():
        if not isinstance(element.tag, str):
            continue
        own = (element.get("src") or "").startswith("/static/")
        if element.tag == "script" and not own and element.get("type") != "application/json":
            yield html.tostring(element)[:100]
        if element.tag in ("iframe", "object", "embed", "applet", "base", "marquee", "frameset"):
            yield element.tag
        for name, value in element.attrib.items():
            odd = re.sub(r"\s", "", value).lower().startswith(("javascript:", "data:text"))
            if name.startswith("on") or (name in LOADS and odd) or name == "style":
                yield f"{element.tag} {name}={value[:60]}"
