"""Liquid as A2I renders it: escaping, objects as JSON, hyphenated names, signed addresses."""

import html
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread_templates import S3Location, TemplateError, parse_template


def render(template: str, /, **task_input: object) -> str:
    return parse_template(template, name="task.liquid.html").render(task_input, sign_url=sign)


def sign(location: S3Location) -> str:
    return f"https://signed.example/{location.bucket}/{location.key}?token=1&expires=2"


HOSTILE = """'James' & "<b>O'Hara</b>" &amp;"""


@pytest.mark.parametrize("filters", ["", "| escape", "| escape | escape", "| escape_once | escape"])
def test_one_text_is_escaped_alike_with_and_without_escape_filters(filters: str) -> None:
    assert (
        render("{{ task.input.x " + filters + " }}", x="'James' & <Co>") == "&#39;James&#39; &amp; &lt;Co&gt;"
    )


def test_quotes_are_printed_with_the_entities_that_aws_prints() -> None:
    assert render("{{ task.input.x }}", x="\"'") == "&quot;&#39;"


def test_text_that_looks_escaped_is_shown_as_it_was_written() -> None:
    assert html.unescape(render("{{ task.input.x }}", x="&lt;b&gt;")) == "&lt;b&gt;"


def test_escape_once_leaves_entities() -> None:
    assert render("{{ task.input.x | escape_once }}", x="&lt;b&gt; & <i>") == "&lt;b&gt; &amp; &lt;i&gt;"


def test_a_filter_after_escape_cannot_bring_markup_back() -> None:
    assert "<" not in render("{{ task.input.x | escape | append: task.input.x }}", x="<script>")


@pytest.mark.parametrize(
    "output",
    ["{{ task.input.x }}", "{{ task.input.x | to_json }}", "{{ task.input.x | to_json | escape }}"],
)
def test_objects_come_out_as_escaped_json(output: str) -> None:
    value = {"labels": ["it's", '<"b">'], "n": 1.5, "ok": True, "none": None}
    text = render(output, x=value)
    assert not set("<>\"'") & set(text)
    assert json.loads(html.unescape(text)) == value


def test_skip_autoescape_prints_markup() -> None:
    assert render("{{ task.input.x | skip_autoescape }}", x="<b>&") == "<b>&"


def test_json_without_escaping_cannot_end_its_script_element_and_keeps_its_meaning() -> None:
    value = {"x": "</script><script>alert('1')//\u2028 & <!--"}
    text = render("{{ task.input.x | to_json | skip_autoescape }}", x=value)
    assert json.loads(text) == value
    assert not set("<>&'\u2028") & set(text)


def test_hyphenated_names_parse() -> None:
    task = {"source-ref": "s", "manifest-line": {"my-attr-metadata": {"class-map": {"0": "cat"}}}, "id": "0"}
    template = (
        "{{ task.input.source-ref }} "
        "{% assign class-map = task.input.manifest-line.my-attr-metadata.class-map %}"
        "{{ class-map[task.input.id] }}{% for pair in class-map %} {{ pair[0] }}={{ pair[1] }}{% endfor %}"
    )
    assert render(template, **task) == "s cat 0=cat"


def test_missing_values_print_nothing_and_are_null_in_json() -> None:
    assert render("[{{ task.input.nope.deeper }}][{{ task.input.nope | to_json }}]") == "[][null]"


def test_booleans_and_numbers_print_as_in_json() -> None:
    assert (
        render("{{ task.input.t }} {{ task.input.f }} {{ task.input.n }}", t=True, f=0.5, n=3) == "true 0.5 3"
    )


@pytest.mark.parametrize("name", ["grant_read_access", "s3_presign"])
def test_s3_addresses_are_signed_and_escaped(name: str) -> None:
    text = render("{{ task.input.x | " + name + " }}", x="s3://bucket/a b/ü.png")
    assert html.unescape(text) == "https://signed.example/bucket/a b/ü.png?token=1&expires=2"
    assert "&amp;" in text


def test_a_captured_address_is_signed_by_its_plain_text() -> None:
    template = (
        "{% capture u %}http://s3.amazonaws.com/{{ task.input.b }}/{{ task.input.k }}{% endcapture %}"
        "{{ u | grant_read_access }}"
    )
    assert html.unescape(render(template, b="bucket", k="a&b's.png")) == (
        "https://signed.example/bucket/a&b's.png?token=1&expires=2"
    )


def test_an_address_outside_s3_is_left_alone() -> None:
    assert render("{{ task.input.x | grant_read_access }}", x="data:image/png;base64,AA==") == (
        "data:image/png;base64,AA=="
    )


def test_captured_text_is_not_escaped_twice() -> None:
    assert render("{% capture c %}{{ task.input.x }}{% endcapture %}{{ c }}", x="a&b") == "a&amp;b"


def test_cycle_escapes_task_data() -> None:
    assert render("{% for i in (1..2) %}{% cycle task.input.x, 'b' %}{% endfor %}", x="<i>") == "&lt;i&gt;b"


@pytest.mark.parametrize("name", ["safe", "escapejs", "nope"])
def test_filters_that_a2i_lacks_are_refused_with_their_place(name: str) -> None:
    with pytest.raises(TemplateError, match=f"unknown filter '{name}'") as caught:
        parse_template("<p>\n  {{ task.input.x | " + name + " }}", name="task.html")
    assert (caught.value.line, caught.value.name) == (2, "task.html")


@pytest.mark.parametrize("tag", ["{% echo task.input.x %}", "{% render 'x' %}", "{% include 'x' %}"])
def test_tags_that_bypass_escaping_or_read_files_are_refused(tag: str) -> None:
    with pytest.raises(TemplateError, match="unexpected tag"):
        parse_template(tag, name="task.html")


def test_malformed_liquid_names_line_and_column() -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template("<crowd-form>\n  {{ task.input.x \n</crowd-form>", name="task.html")
    assert (caught.value.line, caught.value.column) == (2, 3)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a\n{% for x in %}{% endfor %}", (2, 1)),
        ("a\n\n{{ x }}{{ x | }}{{ y | }}", (3, 8)),
        ("{% if x %}\n{% for y in z %}{{ y }}\n  {% assign x = %}{% endfor %}{% endif %}", (3, 3)),
        ("{% raw %}{{ x | }}{% endraw %}\n {{ y | }}", (2, 2)),
        ("a {% if x %}\n{{ y }}", (1, 3)),
    ],
)
def test_an_expression_that_breaks_off_is_found(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(text, name="task.html")
    assert (caught.value.line, caught.value.column) == place


def test_a_filter_that_refuses_its_value_is_a_template_error() -> None:
    with pytest.raises(TemplateError, match=r"^task.liquid.html:1:"):
        render("{{ task.input.x | divided_by: 0 }}", x=3)


@given(st.text())
def test_no_text_leaves_its_place(text: str) -> None:
    page = render(
        "{{ task.input.x }}{% assign y = task.input.x | append: 'z' %}{{ y | escape | upcase }}", x=text
    )
    assert not set("<>\"'") & set(page)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_bare_values_survive_the_way_through_an_attribute(value: object) -> None:
    text = render("{{ task.input.x | to_json }}", x=value)
    assert json.loads(html.unescape(text)) == value
