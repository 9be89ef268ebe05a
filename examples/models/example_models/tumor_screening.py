"""Screening a breast biopsy: the Wisconsin measurements in scikit-learn, and a logistic regression."""

from __future__ import annotations

from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from example_models.use_case import Numbers, Record, TrainedModel, model_document, two_label_layer

USE_CASE = "tumor-screening"


def train() -> TrainedModel:
    """The model, trained on 60 % of the 569 biopsies; 40 % are held out."""
    bunch = load_breast_cancer()
    fields = [str(name).replace(" ", "_") for name in bunch.feature_names]
    names = [str(name) for name in bunch.target_names]
    records = [
        _record(measurements, fields=fields, truth=names[target], number=number)
        for number, (measurements, target) in enumerate(zip(bunch.data, bunch.target, strict=True), start=1)
    ]
    truths = [record.truth for record in records]
    fitted, held_out = train_test_split(records, test_size=0.4, random_state=0, stratify=truths)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=2000))
    pipeline.fit([_row(record, fields=fields) for record in fitted], [record.truth for record in fitted])
    scaler, regression = pipeline
    features = [
        {
            "field": field,
            "kind": "number",
            "logarithm": False,
            "mean": float(scaler.mean_[i]),
            "scale": float(scaler.scale_[i]),
        }
        for i, field in enumerate(fields)
    ]
    labels = [str(label) for label in regression.classes_]
    layer = two_label_layer(regression.coef_[0], float(regression.intercept_[0]))
    return TrainedModel(
        use_case=USE_CASE,
        labels=labels,
        document=model_document(use_case=USE_CASE, labels=labels, features=features, layers=[layer]),
        training=fitted,
        held_out=held_out,
        held_out_probabilities=pipeline.predict_proba([_row(record, fields=fields) for record in held_out]),
        origin="Wolberg, Mangasarian, Street: Breast Cancer Wisconsin, UCI, CC BY 4.0; in scikit-learn",
    )


def _record(measurements: Numbers, *, fields: list[str], truth: str, number: int) -> Record:
    values = {field: float(value) for field, value in zip(fields, measurements, strict=True)}
    return Record(reference=f"biopsy-{number:03}", input=values, truth=truth)


def _row(record: Record, *, fields: list[str]) -> list[float]:
    return [float(str(record.input[field])) for field in fields]
