"""The limits of A2I as data: names, ranges, the public workforce's prices."""

from decimal import Decimal

import pytest

from overread.review import limits
from overread.review.limits import PUBLIC_PRICES_USD, Price, PricedTask, price_parts


@pytest.mark.parametrize("name", ["a", "0", "a-b", "a--b", "a" * 63, "loan-approval-1a2b3c4d"])
def test_names_that_a2i_takes(name: str) -> None:
    assert limits.FLOW_DEFINITION_NAME.allows(name)
    assert limits.HUMAN_LOOP_NAME.allows(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "a\n"])
def test_names_that_a2i_refuses(name: str) -> None:
    assert not limits.FLOW_DEFINITION_NAME.allows(name)
    assert not limits.HUMAN_TASK_UI_NAME.allows(name)


def test_work_team_names_may_have_capitals() -> None:
    assert limits.WORKTEAM_NAME.allows("Loan-Reviewers")


@pytest.mark.parametrize(("number", "is_allowed"), [(0, False), (1, True), (3, True), (4, False)])
def test_task_count_is_one_to_three(number: int, is_allowed: bool) -> None:
    assert limits.TASK_COUNT.allows(number) is is_allowed


@pytest.mark.parametrize(
    ("keyword", "is_allowed"), [("loan risk", True), ("loan  risk", False), ("a-b", False)]
)
def test_a_keyword_is_words_with_single_spaces(keyword: str, is_allowed: bool) -> None:
    assert limits.TASK_KEYWORD.allows(keyword) is is_allowed


def test_a_limit_says_what_is_allowed() -> None:
    assert str(limits.TASK_COUNT) == "1 to 3"
    assert str(limits.TEMPLATE_CONTENT) == "1 to 128,000 characters"
    assert str(limits.TASK_KEYWORD).startswith("1 to 30 characters matching ")


@pytest.mark.parametrize(
    ("kind", "steps", "lowest", "highest"),
    [
        (PricedTask.BOUNDING_BOX, 14, "0.036", "1.200"),
        (PricedTask.CUSTOM, 16, "0.012", "1.200"),
        (PricedTask.REKOGNITION, 16, "0.012", "1.200"),
        (PricedTask.SEMANTIC_SEGMENTATION, 4, "0.840", "1.200"),
        (PricedTask.TEXTRACT, 26, "0.012", "2.400"),
    ],
)
def test_price_ladders_rise_from_the_lowest_to_the_highest(
    kind: PricedTask, steps: int, lowest: str, highest: str
) -> None:
    ladder = PUBLIC_PRICES_USD[kind]
    assert (len(ladder), ladder[0], ladder[-1]) == (steps, Decimal(lowest), Decimal(highest))
    assert list(ladder) == sorted(set(ladder))


def test_every_kind_of_task_has_a_ladder_and_every_price_is_expressible() -> None:
    assert set(PUBLIC_PRICES_USD) == set(PricedTask)
    for ladder in PUBLIC_PRICES_USD.values():
        for price in ladder:
            parts = price_parts(price)
            total = parts.dollars * 1000 + parts.cents * 10 + parts.tenth_fractions_of_a_cent
            assert total == price * 1000


def test_price_parts_of_the_documented_example() -> None:
    assert price_parts(Decimal("0.036")) == Price(dollars=0, cents=3, tenth_fractions_of_a_cent=6)


@pytest.mark.parametrize("price", ["-0.012", "3.000", "0.0121"])
def test_a_price_that_cannot_be_expressed_is_refused(price: str) -> None:
    with pytest.raises(ValueError, match=r"0 to 2\.999"):
        price_parts(Decimal(price))
