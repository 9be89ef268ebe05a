"""Sentences: naive Bayes on words and word pairs."""

from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline


def new_model(seed: int) -> Any:
    return make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), MultinomialNB(alpha=0.1))


def features(entries: list[dict[str, Any]], parameters: dict[str, str] | None) -> list[str]:
    return [entry["source"] for entry in entries]
