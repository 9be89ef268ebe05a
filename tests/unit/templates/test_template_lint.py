"""The lint that runs at synth: every code, its place and its severity."""

import pytest

from overread_templates import lint_template

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>\n'
INSTRUCTIONS = "<full-instructions></full-instructions><p>x</p><short-instructions></short-instructions>"
GOOD = (
    SCRIPT
    + '<crowd-form>\n  <crowd-input name="a" value="{{ task.input.x }}"></crowd-input>\n</crowd-form>\n'
)


def found(text: str) -> list[tuple[str, int, int, str]]:
    return [(f.code, f.line, f.column, f.severity) for f in lint_template(text, name="task.html")]


def test_a_good_template_has_no_findings() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "{{ task.input.x", ("liquid-syntax", 5, 1, "error")),
        (GOOD + "{% if a %}", ("liquid-syntax", 5, 1, "error")),
        (GOOD + "\n {{ a | safe }}", ("liquid-syntax", 6, 9, "error")),
        (
            GOOD + "{% for a in b %}{% endfor %}{% if a %}\n{% if b %}{% endif %}",
            ("liquid-syntax", 5, 29, "error"),
        ),
        (SCRIPT + "<p></p>", ("missing-crowd-form", 1, 1, "error")),
        (GOOD + "<crowd-form></crowd-form>", ("second-crowd-form", 5, 1, "error")),
        (GOOD + "<crowd-inptu></crowd-inptu>", ("unknown-element", 5, 1, "error")),
        (GOOD + "<crowd-card/>", ("self-closing", 5, 1, "error")),
        (GOOD + "<crowd-text-ranking></crowd-text-ranking>", ("unsupported-element", 5, 1, "warning")),
        (GOOD + '\n  <script src="https://cdn.example/x.js"></script>', ("foreign-script", 6, 3, "warning")),
        (GOOD + '<img src="https://cdn.example/x.png">', ("foreign-media", 5, 1, "warning")),
        (
            GOOD + "<iframe src='{{ task.input.pdf | grant_read_access }}'></iframe>",
            ("frame", 5, 1, "warning"),
        ),
        (GOOD + '<script src="//cdn.example/x.js"></script>', ("foreign-script", 5, 1, "warning")),
        (
            GOOD + '<link rel="stylesheet" href="https://cdn.example/x.css">',
            ("foreign-style", 5, 1, "warning"),
        ),
        (GOOD + "{{ a | skip_autoescape }}", ("skip-autoescape", 5, 6, "warning")),
        (GOOD + "{% assign b = a | skip_autoescape %}", ("skip-autoescape", 5, 17, "warning")),
        (
            GOOD + "<script>let a = {{ b | to_json | skip_autoescape }}</script>",
            ("skip-autoescape", 5, 32, "warning"),
        ),
        (GOOD + "<script>\nlet a = '{{ b }}';</script>", ("liquid-in-script", 6, 10, "warning")),
        (GOOD + "<script>\n x.innerHTML = y</script>", ("xss-sink", 6, 3, "warning")),
        (GOOD + "<script>document.write(y)</script>", ("xss-sink", 5, 9, "warning")),
        (GOOD + "<script>setTimeout('y()', 3)</script>", ("xss-sink", 5, 9, "warning")),
        (GOOD + "<script>eval(y)</script>", ("xss-sink", 5, 9, "warning")),
        (GOOD + "<script>$('#a').html(y)</script>", ("xss-sink", 5, 16, "warning")),
        (GOOD + """<p onclick="f('{{ a }}')">x</p>""", ("xss-sink", 5, 1, "warning")),
        (GOOD + """<a href="javascript:f()">x</a>""", ("xss-sink", 5, 1, "warning")),
        (GOOD + "<p title={{ a }}>x</p>", ("unquoted-output", 5, 1, "warning")),
        (GOOD + "<crowd-card colour='red'></crowd-card>", ("unknown-attribute", 5, 1, "warning")),
        (GOOD + "<crowd-input></crowd-input>", ("unnamed-element", 5, 1, "warning")),
        (
            GOOD + f"<crowd-polygon name='a' src='b'>{INSTRUCTIONS}</crowd-polygon>",
            ("missing-attribute", 5, 1, "warning"),
        ),
        (
            GOOD + "<crowd-polygon name='a' src='b' labels='c'><full-instructions>"
            "</full-instructions></crowd-polygon>",
            ("missing-instructions", 5, 1, "warning"),
        ),
        (
            GOOD + f"<crowd-classifier name='a' header='b' categories='c'>{INSTRUCTIONS}</crowd-classifier>",
            ("missing-target", 5, 1, "warning"),
        ),
        (GOOD + "\n{{ task.input.prediction.label }}", ("model-answer-shown", 6, 1, "warning")),
        (
            GOOD + "{% assign p = task.input.prediction %}\n{{ p.label }}",
            ("model-answer-shown", 6, 1, "warning"),
        ),
        ("<crowd-form></crowd-form>", ("missing-element-script", 1, 1, "warning")),
        (GOOD + "x" * 128_001, ("too-large", 1, 1, "error")),
        (" \n", ("empty", 1, 1, "error")),
    ],
)
def test_each_fault_is_named_with_its_place(text: str, expected: tuple[str, int, int, str]) -> None:
    assert found(text) == [expected]


def test_a_template_of_exactly_the_limit_is_fine() -> None:
    assert found(GOOD + "x" * (128_000 - len(GOOD))) == []


@pytest.mark.parametrize(
    "script",
    [
        "//assets.crowd.aws/crowd-html-elements.js",
        "http://assets.crowd.aws/crowd-html-elements.js?v=1",
        "https://assets.crowd.aws/crowd-html-elements-v2.js",
    ],
)
def test_every_address_of_the_elements_is_known(script: str) -> None:
    style = '<link rel="stylesheet" href="https://assets.crowd.aws/css/crowd-html-elements-v2.css">'
    assert found(f'<script src="{script}"></script>{style}<crowd-form></crowd-form>') == []


@pytest.mark.parametrize(
    "harmless",
    [
        "<crowd-polygon name='a' src='b' labels='c' initialValue='d' data-x='e'>"
        f"{INSTRUCTIONS}</crowd-polygon>",
        "{% if task.input.prediction %}{{ task.input.prediction.label }}{% endif %}",
        "{% assign p = task.input.prediction %}{% if p %}<p>{{ p.label }}</p>{% endif %}",
        "{{ task.input.predictions }}",
        "<p data-x='{{ a }}' title=\"{{ b }}\">{{ c }}</p>",
        "<script>if (a.innerHTML == b) f(evaluate(c));</script>",
        "<crowd-textract-analyze-document src='a' initial-value='b' block-types='c' keys='d' no-key-edit>"
        f"{INSTRUCTIONS}</crowd-textract-analyze-document>",
        "{% comment %}<crowd-nope>{{ a | skip_autoescape }}{% endcomment %}",
        "{% raw %}{{ a | skip_autoescape }}{% endraw %}",
        "<!-- <crowd-nope> -->",
        "<script>let a = '<crowd-nope>';</script>",
        "{{ a | append: '<crowd-nope>' }}",
        '<img src="data:image/png;base64,x"><img src="{{ task.input.image | grant_read_access }}">',
        '<link rel="stylesheet" href="https://assets.crowd.aws/css/crowd-html-elements-v2.css">',
    ],
)
def test_what_only_looks_like_a_fault_is_let_through(harmless: str) -> None:
    assert found(GOOD + harmless) == []


def test_quotes_inside_liquid_do_not_hide_the_markup_around_it() -> None:
    text = GOOD + '<div title="{{ a | append: "x>" }}"></div><crowd-nope></crowd-nope>'
    assert found(text) == [("unknown-element", 5, 43, "error")]


def test_all_faults_are_reported_together_in_order() -> None:
    text = "<crowd-nope></crowd-nope>\n{{ a | nope }}\n<script src='https://x.example/y.js'></script>"
    assert [code for code, *_ in found(text)] == [
        "missing-crowd-form",
        "missing-element-script",
        "unknown-element",
        "liquid-syntax",
        "foreign-script",
    ]
