"""Writes into the worker templates what the training sets look like, or checks that they agree.

The figures are static reference data of the page. They come from the training set only, never from the
held-out records that reviewers see.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from example_models import loan_approval, tumor_screening
from example_models.use_case import Numbers, Record
from sklearn.metrics import roc_auc_score

TEMPLATES = Path(__file__).parents[2] / "templates"
BLOCK = re.compile(
    r"(?<=\{%- comment %\} populations: begin \{% endcomment %\}\n).*?(?=\{%- comment %\} populations: end)",
    re.DOTALL,
)
LOAN_FIELDS = (
    ("amount", "Amount", "DM"),
    ("duration_months", "Term", "months"),
    ("monthly", "Monthly, before interest", "DM"),
)
GROUPS = ("worst", "mean", "error")
PERCENTILES = (5, 25, 50, 75, 95)


def loan_populations(training: Sequence[Record]) -> str:
    """One row a figure: field, name, unit, then smallest, 10 %, median, 90 % and 99 % of the loans."""
    return ";".join(
        "|".join(
            [field, name, unit, *(f"{value:.0f}" for value in np.percentile(_loan(training, field), marks))]
        )
        for field, name, unit in LOAN_FIELDS
        for marks in [(0, 10, 50, 90, 99)]
    )


def tumor_populations(training: Sequence[Record]) -> str:
    """One row a measurement, the best at telling the populations apart first in each group.

    Columns: group, field, name, AUC, axis from, axis to, then the 5th, 25th, 50th, 75th and 95th percentile
    of the benign and of the malignant training records. The axis ends at the outer 1 % of both, so that a
    single extreme record does not flatten everyone.
    """
    rows = [_measurement(training, field) for field in training[0].input]
    return ";".join(
        "|".join(row)
        for group in GROUPS
        for row in sorted((row for row in rows if row[0] == group), key=lambda row: -float(row[3]))
    )


def _measurement(training: Sequence[Record], field: str) -> list[str]:
    values = np.array([float(str(record.input[field])) for record in training])
    is_malignant = np.array([record.truth == "malignant" for record in training])
    separation = roc_auc_score(is_malignant, values)
    group = next(group for group in GROUPS if group in field)
    name = field.replace(group, "").strip("_").replace("_", " ").capitalize()
    axis = np.percentile(values, (1, 99))
    quantiles = [
        *np.percentile(values[~is_malignant], PERCENTILES),
        *np.percentile(values[is_malignant], PERCENTILES),
    ]
    figures = [f"{value:.4g}" for value in (*axis, *quantiles)]
    return [group, field, name, f"{max(separation, 1 - separation):.2f}", *figures]


def _loan(training: Sequence[Record], field: str) -> Numbers:
    amounts, months = (
        np.array([float(str(record.input[column])) for record in training])
        for column in ("amount", "duration_months")
    )
    columns: dict[str, Numbers] = {
        "amount": amounts,
        "duration_months": months,
        "monthly": amounts / months,
    }
    return columns[field]


def blocks() -> Mapping[str, str]:
    """The Liquid block of every template that carries populations, by use case."""
    summaries = {
        loan_approval.USE_CASE: loan_populations(loan_approval.train().training),
        tumor_screening.USE_CASE: tumor_populations(tumor_screening.train().training),
    }
    return {
        use_case: f'{{%- assign populations = "{summary}" %}}\n' for use_case, summary in summaries.items()
    }


def template_path(use_case: str) -> Path:
    """The template of `use_case`."""
    return TEMPLATES / use_case / "template.liquid.html"


def main() -> None:
    """Command line: `population_summary.py` writes the blocks, `--check` only compares them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a template is not up to date")
    is_check = parser.parse_args().check
    for use_case, block in blocks().items():
        path = template_path(use_case)
        text = path.read_text(encoding="utf-8")
        wanted, found = BLOCK.subn(lambda _, block=block: block, text)  # type: ignore[misc]
        if found != 1:
            raise SystemExit(f"{path} must have one 'populations' block, got {found}")
        if wanted == text:
            print(f"{path.name} of {use_case}: up to date")
        elif is_check:
            raise SystemExit(f"{path} is not up to date: run examples/models/population_summary.py")
        else:
            path.write_text(wanted, encoding="utf-8")
            print(f"{path.name} of {use_case}: written")


if __name__ == "__main__":
    main()
