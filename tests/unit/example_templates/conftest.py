"""The example templates, and the records that the demo shows in them."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import pytest
from tests.unit.example_templates.worker_pages import ROOT, Example, load_example

sys.path.insert(0, str(ROOT / "examples/models"))

from example_models import digit_reading, loan_approval, tumor_screening
from example_models.use_case import TrainedModel

MODULES = (digit_reading, loan_approval, tumor_screening)


@pytest.fixture(scope="session", params=[module.USE_CASE for module in MODULES])
def example(request: pytest.FixtureRequest) -> Example:
    return load_example(request.param)


@pytest.fixture(scope="session")
def trained() -> Mapping[str, TrainedModel]:
    return {module.USE_CASE: module.train() for module in MODULES}
