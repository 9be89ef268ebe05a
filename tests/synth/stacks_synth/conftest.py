"""One synthesis for the suite: all deployments in one app and account, with stand-in models and pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from overread_config import load_settings
from overread_stacks.app_factory import FEATURE_FLAGS, build_app
from overread_stacks.checks import add_every_check

REPOSITORY = Path(__file__).parents[3]
HERE = Path(__file__).parent
ACCOUNT = {"CDK_DEFAULT_ACCOUNT": "111122223333", "CDK_DEFAULT_REGION": "eu-central-1"}
STACKS = ("network", "data", "review", "inference", "operations")
ON_A2I = ("demo", "dev", "prod", "mixed")
ON_OWN_SERVICE = ("desk", "open")
ENVIRONMENTS = (*ON_A2I, *ON_OWN_SERVICE)
FILES = {"desk": "review-service"}
PAGE = (
    '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
    '<crowd-form><crowd-input name="{name}"></crowd-input></crowd-form>'
)


@dataclass(frozen=True)
class Assembly:
    """What was synthesised: `templates` by stack name, the validators' report, the manifest, the folder."""

    folder: Path
    templates: dict[str, dict[str, Any]]
    report: dict[str, Any]
    manifest: dict[str, Any]

    def resources(self, stack: str, kind: str = "") -> dict[str, dict[str, Any]]:
        """Resources by logical id, of a type when given."""
        found = self.templates[f"overread-{stack}"]["Resources"]
        return {name: resource for name, resource in found.items() if kind in ("", resource["Type"])}

    def properties(self, stack: str, kind: str, *, like: str = "") -> dict[str, Any]:
        """Properties of the only resource of a type whose logical id has `like` in it."""
        (found,) = (r for name, r in self.resources(stack, kind).items() if like in name)
        properties: dict[str, Any] = found["Properties"]
        return properties

    def every(self, *, of: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Stack, logical id and resource of everything, of one deployment when given."""
        for stack, template in self.templates.items():
            if stack.startswith(f"overread-{of}"):
                for name, resource in template["Resources"].items():
                    yield stack, name, resource


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the committed configurations, and stand-ins for the files that they name."""
    root = tmp_path_factory.mktemp("project")
    for name in ("digit-reading", "loan-approval", "tumor-screening"):
        archive = root / "build" / "models" / f"{name}.tar.gz"
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_bytes(f"stand-in for {name}".encode())
        page = root / "templates" / name / "template.liquid.html"
        page.parent.mkdir(parents=True)
        page.write_text(PAGE.format(name=name))
    (root / "config").mkdir()
    for source in (*(REPOSITORY / "config").glob("*.yaml"), HERE / "mixed.yaml", HERE / "open.yaml"):
        (root / "config" / source.name).write_bytes(source.read_bytes())
    shutil.copytree(REPOSITORY / "config/guarantees", root / "config/guarantees")
    shutil.copytree(REPOSITORY / "labeling", root / "labeling")
    for source in (REPOSITORY / "templates").glob("*/template.liquid.html"):
        if not (page := root / "templates" / source.parent.name / source.name).exists():
            page.parent.mkdir(parents=True)
            page.write_bytes(source.read_bytes())
    return root


@pytest.fixture(scope="session")
def assembly(project: Path) -> Assembly:
    """All deployments, synthesised once, without bundling the handlers' dependencies."""
    app = App(
        outdir=str(project / "cdk.out"),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    for environment in ENVIRONMENTS:
        file = project / "config" / f"{FILES.get(environment, environment)}.yaml"
        build_app(load_settings(file), environ=ACCOUNT, app=app)
    add_every_check(app, today=datetime.now(UTC).date())
    app.synth()
    folder = project / "cdk.out"
    return Assembly(
        folder=folder,
        templates={
            path.name.removesuffix(".template.json"): json.loads(path.read_text())
            for path in folder.glob("*.template.json")
        },
        report=json.loads((folder / "validation-report.json").read_text()),
        manifest=json.loads((folder / "manifest.json").read_text()),
    )


def as_list(value: Any) -> list[Any]:
    """The value, or the list that it is."""
    return value if isinstance(value, list) else [value]
