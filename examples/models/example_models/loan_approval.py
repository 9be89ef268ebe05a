"""Approving a consumer loan: the Statlog German Credit data, and a regression without personal traits."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from example_models.use_case import Record, TrainedModel, model_document, two_label_layer

USE_CASE = "loan-approval"
DATA = Path(__file__).parents[1] / "data" / "german_credit.csv"
NUMBERS = ("amount", "duration_months", "dependents")
LOGARITHMS = ("amount", "duration_months")
CATEGORIES = (
    "purpose",
    "installment_rate",
    "checking_account",
    "savings",
    "credit_history",
    "existing_credits",
    "other_installment_plans",
    "other_debtors",
    "employment",
    "job",
    "property",
    "housing",
    "residence",
    "telephone",
)
WITHHELD = ("sex", "age", "foreign_worker")
WHOLE_NUMBERS = frozenset({*NUMBERS, "age"})


def train() -> TrainedModel:
    """The model, trained on 600 of the 1,000 loans; 400 are held out. Withheld columns are never read."""
    records = read_records()
    truths = [record.truth for record in records]
    # Of the first seeds, 6 is the one that shows all routes within the first twenty held-out records.
    fitted, held_out = train_test_split(records, test_size=0.4, random_state=6, stratify=truths)
    numbers, categories = StandardScaler(), OneHotEncoder(sparse_output=False)
    columns = ColumnTransformer(
        [
            ("numbers", numbers, list(range(len(NUMBERS)))),
            ("categories", categories, list(range(len(NUMBERS), len(NUMBERS) + len(CATEGORIES)))),
        ]
    )
    pipeline = make_pipeline(columns, LogisticRegression(C=0.1, max_iter=2000))
    pipeline.fit(_table(fitted), [record.truth for record in fitted])
    scaler = pipeline[0].named_transformers_["numbers"]
    encoder = pipeline[0].named_transformers_["categories"]
    features: list[dict[str, Any]] = [
        {
            "field": field,
            "kind": "number",
            "logarithm": field in LOGARITHMS,
            "mean": float(scaler.mean_[i]),
            "scale": float(scaler.scale_[i]),
        }
        for i, field in enumerate(NUMBERS)
    ]
    features += [
        {"field": field, "kind": "category", "categories": [str(text) for text in encoder.categories_[i]]}
        for i, field in enumerate(CATEGORIES)
    ]
    regression = pipeline[-1]
    labels = [str(label) for label in regression.classes_]
    layer = two_label_layer(regression.coef_[0], float(regression.intercept_[0]))
    return TrainedModel(
        use_case=USE_CASE,
        labels=labels,
        document=model_document(use_case=USE_CASE, labels=labels, features=features, layers=[layer]),
        training=fitted,
        held_out=held_out,
        held_out_probabilities=pipeline.predict_proba(_table(held_out)),
        origin="Hofmann, Statlog (German Credit Data), UCI, CC BY 4.0; see data/NOTICE.md",
        withheld=WITHHELD,
    )


def read_records() -> list[Record]:
    """All 1,000 loans; truth is `approve` when the loan was repaid."""
    with DATA.open(newline="", encoding="utf-8") as file:
        return [_record(row, number=number) for number, row in enumerate(csv.DictReader(file), start=1)]


def _record(row: dict[str, str], *, number: int) -> Record:
    truth = "approve" if row.pop("repaid") == "yes" else "decline"
    fields = {field: int(text) if field in WHOLE_NUMBERS else text for field, text in row.items()}
    return Record(reference=f"loan-{number:04}", input=fields, truth=truth)


def _table(records: list[Record]) -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.array([_row(record) for record in records], dtype=object)


def _row(record: Record) -> list[object]:
    numbers = [float(str(record.input[field])) for field in NUMBERS]
    scaled = [np.log(n) if field in LOGARITHMS else n for field, n in zip(NUMBERS, numbers, strict=True)]
    return [*scaled, *(record.input[field] for field in CATEGORIES)]
