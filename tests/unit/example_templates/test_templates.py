"""The example templates show what a reviewer needs, and nothing that a reviewer must not see."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import jmespath
import pytest
from example_models import loan_approval
from example_models.use_case import TrainedModel
from tests.unit.example_templates.worker_pages import ROOT, Example, Page, load_example

from overread.routing.prediction import ReasonCode
from overread_templates import lint_template

ELEMENTS = "https://assets.crowd.aws/crowd-html-elements.js"
PAYLOAD = (
    "\"'><img src=x onerror=boom()></style></script></option><script>boom()</script>{{ 7 | times: 191 }}"
)
WITHHELD = ("sex", "age", "foreign_worker")


def test_lint_finds_nothing(example: Example) -> None:
    assert lint_template(example.text, name=example.use_case) == ()


def test_nothing_comes_from_elsewhere_but_the_element_script(example: Example) -> None:
    page = example.page(example.sample)
    assert page.attributes("script", "src") == [ELEMENTS]
    assert page.attributes("link", "href") == page.attributes("iframe", "src") == []
    assert all(source.startswith("data:image/png") for source in page.attributes("img", "src"))
    assert re.findall(r"url\(|@import|https?://", page.html.replace(ELEMENTS, "")) == []
    assert "skip_autoescape" not in example.text


def test_page_is_one_form_with_decision_reason_and_note(example: Example) -> None:
    page = example.page(example.sample)
    assert [tag for tag, _ in page.elements].count("crowd-form") == 1
    named = [(tag, attributes["name"]) for tag, attributes in page.elements if "name" in attributes]
    assert named == [("crowd-classifier", "decision"), ("select", "reason_code"), ("crowd-text-area", "note")]
    for region in ("classification-target", "short-instructions", "full-instructions"):
        assert region in dict(page.elements)


def test_reviewers_choose_among_the_labels_or_cannot_decide(example: Example) -> None:
    (categories,) = example.page(example.sample).attributes("crowd-classifier", "categories")
    *labels, last = json.loads(categories)
    assert sorted(labels) == sorted(example.sample["labels"])
    assert last == "cannot-decide"


def test_the_key_of_a_digit_picks_that_digit() -> None:
    digits = load_example("digit-reading")
    (categories,) = digits.page(digits.sample).attributes("crowd-classifier", "categories")
    assert json.loads(categories)[:10] == list("1234567890")  # the elements number choices 1 to 9, then 0


def test_expected_answer_is_one_that_the_page_can_give(example: Example) -> None:
    page = example.page(example.sample)
    (categories,) = page.attributes("crowd-classifier", "categories")
    assert set(example.answer) <= {"decision", "reason_code", "note"}
    assert jmespath.search("decision.label", example.answer) in json.loads(categories)
    assert jmespath.search("reason_code", example.answer) in page.attributes("option", "value")
    assert jmespath.search("decision.label == 'cannot-decide'", example.answer) is False


def test_reason_codes_are_few_distinct_and_machine_readable(example: Example) -> None:
    codes = [code for code in example.page(example.sample).attributes("option", "value") if code]
    assert 5 <= len(codes) == len(set(codes)) <= 12
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_the_records_of_the_demo_render(example: Example, trained: Mapping[str, TrainedModel]) -> None:
    records = trained[example.use_case].held_out[:60]
    shape = example.page(example.sample)
    for record in records:
        visible = {name: value for name, value in record.input.items() if name not in WITHHELD}
        page = example.page(example.task_input(input=visible, reference=record.reference))
        assert record.reference in page.text
        assert "not given" not in page.text
        assert [tag for tag, _ in page.elements].count("img") == [tag for tag, _ in shape.elements].count(
            "img"
        )


def test_the_prediction_is_shown_when_the_task_has_it(example: Example) -> None:
    page = example.page(example.task_input(prediction={"label": "LABEL", "confidence": 0.4242}))
    assert "LABEL" in page.text
    assert "42.4 % sure" in page.text


def test_a_blind_page_tells_nothing_of_the_model(example: Example) -> None:
    page = example.page(example.task_input(prediction=..., reasons=[]))
    assert "This page shows no machine" in page.text
    before_instructions = page.text.split("Decide as if")[0]
    assert "% sure" not in page.text
    assert "Why " not in before_instructions
    assert "The model would" not in page.text
    assert str(example.sample["prediction"]["confidence"]) not in page.html


@pytest.mark.parametrize("code", [code.value for code in ReasonCode])
def test_every_reason_is_put_into_words(example: Example, code: str) -> None:
    reason = {"code": code, "threshold": 0.95, "confidence": 0.5, "rule": "night-shift", "probability": 0.05}
    page = example.page(example.task_input(reasons=[reason]))
    heading = page.text.index("Why ")
    words = page.text[heading : heading + 200]
    assert code not in words or "_" not in code
    assert ("95 %" in words) == (code == "confidence_below_threshold")
    assert ("night-shift" in words) == (code == "rule")
    if code in {"endpoint_error", "confidence_missing", "rule_error"}:
        assert code.replace("_", " ") in words


def test_a_second_round_says_so(example: Example) -> None:
    assert "ound 2" in example.page(example.task_input(generation=2)).text
    assert "ound 1" not in example.page(example.task_input(generation=1)).text


def test_protected_columns_never_reach_the_page() -> None:
    loan = load_example("loan-approval")
    for record in loan_approval.read_records()[:100]:
        whole = dict(record.input)
        assert set(WITHHELD) < set(whole)
        visible = {name: value for name, value in whole.items() if name not in WITHHELD}
        marked = whole | {name: f"PROTECTED-{name}" for name in WITHHELD}
        pages = [loan.render(loan.task_input(input=content)) for content in (visible, whole, marked)]
        assert pages[0] == pages[1] == pages[2]


def test_loan_page_shows_listed_fields_only() -> None:
    loan = load_example("loan-approval")
    extra = {**loan.sample["input"], "religion": "UNLISTED", "nested": {"sex": "UNLISTED"}}
    assert loan.render(loan.task_input(input=extra)) == loan.render(loan.sample)


def test_loan_page_works_out_affordability() -> None:
    loan = load_example("loan-approval")
    case = loan.sample["input"] | {"amount": 12_000, "duration_months": 24, "installment_rate": "20 to 25 %"}
    text = loan.page(loan.task_input(input=case)).text
    assert "12,000 DM" in text  # 12000 / 24 = 500 a month; 500 / 0.25 = 2000, 500 / 0.20 = 2500
    assert "500 DM" in text
    assert "2000–2500 DM" in text
    assert "Loan in monthly incomes 4.8–6.0" in text  # 12000 / 2500 and 12000 / 2000


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (250, "250 DM"),
        (1007, "1,007 DM"),
        (18_424, "18,424 DM"),
        ("9,600", "9,600 DM"),
        (None, "not given DM"),
    ],
)
def test_loan_amounts_are_written_readably(amount: object, shown: str) -> None:
    loan = load_example("loan-approval")
    page = loan.page(loan.task_input(input={**loan.sample["input"], "amount": amount}))
    assert f"THE APPLICATION {shown}".lower() in page.text.lower()


def test_biopsy_is_placed_against_both_populations() -> None:
    biopsy = load_example("tumor-screening")
    page = biopsy.page(biopsy.sample)
    classes = page.attributes("i", "class")
    assert classes.count("here") == 30
    assert classes.count("b range") == classes.count("m range") == classes.count("b box") == 30
    assert "not a medical device" in page.text


def test_biopsy_page_counts_the_ranges() -> None:
    biopsy = load_example("tumor-screening")
    page = biopsy.page(biopsy.sample)
    chips = re.findall(r'<span class="chip[^"]*">([^<]+)</span>', page.html)
    assert len(chips) == 30
    counts = [int(count) for count in re.findall(r"<b>(\d+)</b><span>", page.html)]
    outside = sum(chips.count(word) for word in ("above both", "below both", "between"))
    assert counts == [
        chips.count("benign range"),
        chips.count("either"),
        outside,
        chips.count("malignant range"),
    ]


def test_biopsy_beyond_the_axis_stays_on_it() -> None:
    biopsy = load_example("tumor-screening")
    for value in (-1e9, 1e9):
        case = dict.fromkeys(biopsy.sample["input"], value)
        html = biopsy.render(biopsy.task_input(input=case))
        places = {float(left) for left in re.findall(r'class="here" style="left: ([-\d.]+)%', html)}
        assert places == {0.0 if value < 0 else 100.0}


def test_populations_are_those_of_the_training_sets() -> None:
    command = [sys.executable, "examples/models/population_summary.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("value", [None, True, 0, -3, 1e300, "", "word", [], [1], {}, {"a": 1}], ids=repr)
def test_no_value_breaks_a_page(example: Example, value: object) -> None:
    sample = example.sample["input"]
    singly = [{**sample, name: value} for name in list(sample)[:4]]
    for case in [*singly, dict.fromkeys(sample, value)]:
        assert example.page(example.task_input(input=case)).attributes("select", "name") == ["reason_code"]
    blank = example.task_input(input=value, reference=value, reasons=[{"code": value}], prediction=...)
    assert example.page(blank).attributes("select", "name") == ["reason_code"]


def test_input_is_text_wherever_it_appears(example: Example) -> None:
    for attacked in _attacks(example.sample):
        page = example.page(attacked)
        names = {name for _, attributes in page.elements for name in attributes}
        assert not {name for name in names if name.startswith("on")}
        assert page.attributes("script", "src") == [ELEMENTS]
        assert [tag for tag, _ in page.elements].count("script") == 1
        assert "1337" not in page.text
        assert not [source for source in page.attributes("img", "src") if source == "x"]


def test_attacks_reach_the_page() -> None:
    loan = load_example("loan-approval")
    seen = sum("onerror=boom()" in loan.page(attacked).text for attacked in _attacks(loan.sample))
    assert seen >= 15


def _attacks(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The document once for each leaf, that leaf replaced by the payload; and once with all of them."""
    paths = list(_leaves(document))
    return [_with_payload(document, path) for path in paths] + [_everywhere(document)]


def _leaves(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [leaf for key, part in value.items() for leaf in _leaves(part, (*path, key))]
    if isinstance(value, list):
        return [leaf for i, part in enumerate(value) for leaf in _leaves(part, (*path, i))]
    return [path]


def _with_payload(value: Any, path: tuple[str | int, ...]) -> Any:
    if not path:
        return PAYLOAD
    if isinstance(value, dict):
        return {key: _with_payload(part, path[1:]) if key == path[0] else part for key, part in value.items()}
    return [_with_payload(part, path[1:]) if i == path[0] else part for i, part in enumerate(value)]


def _everywhere(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _everywhere(part) for key, part in value.items()}
    return [_everywhere(part) for part in value] if isinstance(value, list) else PAYLOAD


def test_page_parser_sees_attacks() -> None:
    page = Page(f"<p>{PAYLOAD}</p>")
    assert "onerror" in {name for _, attributes in page.elements for name in attributes}
    assert "script" in dict(page.elements)
