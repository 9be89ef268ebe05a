"""Draws and names under a secret."""

from __future__ import annotations

import re

import pytest

from overread_review.service.lookalikes import KeyedChance

CHANCE = KeyedChance("secret")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("h-abcdefghijklmnop234567abcd", r"h-[a-z2-7]{26}"),
        ("d-7bcdefghijklmnop234567abcd", r"d-[a-z2-7]{26}"),
        ("claim-481516", r"claim-\d{6}"),
        ("claim-000123-new", r"claim-000\d{3}-new"),
        ("5f0c8a52-1111-4222-8333-00000000000a", r"[0-9a-f]{8}-\d{4}-\d{4}-\d{4}-[0-9a-f]{12}"),
        ("order-a1b2c3x9", r"order-[a-z]\d[a-z]\d[a-z]\d[a-z]\d"),
        ("Loan-2026-Z9y8", r"Loan-\d{4}-[A-Z]\d[a-z]\d"),
    ],
)
def test_a_lookalike_has_the_same_form(name: str, form: str) -> None:
    made = {CHANCE.lookalike(name, str(number)) for number in range(200)}
    assert all(re.fullmatch(form, one) for one in made)
    assert len(made) > 150
    assert name not in made


@pytest.mark.parametrize("name", ["loop-1", "loan", "loan-17", "claim-000012"])
def test_there_is_no_lookalike_where_there_are_hardly_any_names(name: str) -> None:
    assert CHANCE.lookalike(name, "1") == ""


def test_the_same_words_give_the_same_and_another_secret_gives_another() -> None:
    name = "h-abcdefghijklmnop234567abcd"
    assert CHANCE.lookalike(name, "ada") == KeyedChance("secret").lookalike(name, "ada")
    assert CHANCE.lookalike(name, "ada") != CHANCE.lookalike(name, "grace")
    assert CHANCE.lookalike(name, "ada") != KeyedChance("other").lookalike(name, "ada")
    assert CHANCE.share("a", "bc") != CHANCE.share("ab", "c")
    assert CHANCE.name("a") != CHANCE.name("b")


def test_shares_are_even() -> None:
    """20,000 draws in ten bins of 2,000: chi-square with 9 degrees of freedom, below 35 in all but 0.006%."""
    counts = [0] * 10
    for number in range(20_000):
        counts[int(CHANCE.share("ada", f"loop-{number}") * 10)] += 1
    assert sum((count - 2000) ** 2 / 2000 for count in counts) < 35
