"""The page about logs and metrics has every field and every metric, in the program's words."""

import importlib
import pkgutil
import re
from pathlib import Path

import overread_lambda
from overread_lambda.logs import FIELDS
from overread_lambda.metrics import Metric

PAGE = (Path(__file__).parents[3] / "docs/logs.md").read_text()


def metrics() -> list[Metric]:
    modules = [
        importlib.import_module(f"overread_lambda.{one.name}")
        for one in pkgutil.iter_modules(overread_lambda.__path__)
    ]
    return [metric for module in modules for metric in getattr(module, "METRICS", ())]


def rows(title: str) -> list[list[str]]:
    _, _, after = PAGE.partition(f"## {title}\n")
    section, _, _ = after.partition("\n## ")
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line[:1] == "|"
    ]
    return found[2:]


def test_the_page_has_every_field_once() -> None:
    named = [name for first, *_ in rows("Masking") for name in re.findall(r"`([a-z0-9_]+)`", first)]
    assert sorted(named) == sorted(FIELDS)


def test_the_page_has_every_metric_in_its_own_words() -> None:
    told = [
        [f"`{one.name}`", one.unit, one.tells] for one in sorted(metrics(), key=lambda metric: metric.name)
    ]
    assert rows("Metrics") == told


def test_no_two_metrics_have_one_name() -> None:
    names = [metric.name for metric in metrics()]
    assert len(set(names)) == len(names)
    assert {"DecisionsReceived", "ChainVerifyFail", "NewsGivenUp", "AuditedCases"} <= set(names)
