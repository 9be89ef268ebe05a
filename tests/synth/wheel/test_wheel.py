"""The wheel alone, in an empty environment, synthesises an app of every construct with its Lambda code."""

import json
import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
TEMPLATE = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script><crowd-form></crowd-form>'
HANDLERS = ("route_prediction", "read_decision", "start_loop", "ingest_review", "provide_review_resources")
REVIEW_HANDLERS = ("review_service", "review_sign_in", "sweep_reviews", "drive_labeling")
BARE_PYTHON = ROOT / ".venv-lambda/bin/python"


def run(*command: str | Path, **environment: str) -> str:
    """The output of a command that has to succeed; this interpreter's environment stays out of it."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        env={**kept, **environment},
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(
        "env",
        "-C",
        ROOT,
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        folder,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def assembly(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly that the small app writes from the installed wheel."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    locked = ROOT / "requirements-dev.txt"
    names = ("aws-cdk-lib", "constructs", "python-liquid", "pyyaml", "jmespath")
    run(python, "-m", "pip", "install", "--quiet", "--constraint", _versions(locked, folder), *names)
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel)
    run(python, "-m", "pip", "check")

    (folder / "template.liquid.html").write_text(TEMPLATE)
    (folder / "policy.json").write_text(json.dumps({"use_case": "loan-approval"}))
    (folder / "inference.py").write_text("")
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / "inference.py", "code/inference.py")
    run(
        python,
        HERE / "small_app.py",
        folder / "cdk.out",
        folder / "template.liquid.html",
        folder / "model.tar.gz",
        folder / "policy.json",
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        # Compiled wheels for the interpreter that imports them here, not for Lambda's.
        OVERREAD_BUNDLE_PYTHON=str(BARE_PYTHON),
    )
    return folder / "cdk.out"


def _versions(lock: Path, folder: Path) -> Path:
    """The lock file's versions without hashes, as pip's constraints want them."""
    pins = [
        line.removesuffix(" \\").split(" ;")[0]
        for line in lock.read_text().splitlines()
        if line[:1].isalnum()
    ]
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins))
    return constraints


def test_the_wheel_synthesises_every_construct(assembly: Path) -> None:
    template = json.loads((assembly / "Loans.template.json").read_text())
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert types >= {
        "AWS::SageMaker::Endpoint",
        "Custom::OverreadHumanTaskUi",
        "AWS::SageMaker::Workteam",
        "AWS::AppConfig::Deployment",
        "AWS::ApiGateway::RestApi",
        "Custom::OverreadFlowDefinition",
    }


def test_the_wheel_synthesises_the_review_service(assembly: Path) -> None:
    template = json.loads((assembly / "Desk.template.json").read_text())
    types = {resource["Type"] for resource in template["Resources"].values()}
    assert types >= {
        "AWS::ApiGateway::RestApi",
        "AWS::Cognito::UserPool",
        "Custom::OverreadWorkforce",
        "Custom::OverreadWorkteam",
        "Custom::OverreadFlowDefinition",
    }


def test_the_lambda_code_is_complete_without_the_repository(assembly: Path) -> None:
    folders = [path for path in assembly.iterdir() if (path / "overread_lambda").is_dir()]
    (reviews,) = (path for path in folders if (path / "overread_review").is_dir())
    (others,) = (path for path in folders if path != reviews)
    assert (reviews / "overread_review" / "static").is_dir()
    for folder, handlers in ((others, HANDLERS), (reviews, REVIEW_HANDLERS)):
        for handler in handlers:
            code = f"import sys; sys.path.insert(0, {str(folder)!r}); import overread_lambda.{handler}"
            run(BARE_PYTHON, "-I", "-c", code, AWS_DEFAULT_REGION="eu-central-1", **SETTINGS)


REVIEWER_SIGN_IN = {
    "id": "workforce",
    "title": "Sign in",
    "issuer": "https://id.example",
    "client_id": "c",
    "groups_claim": "groups",
    "authorization_endpoint": "https://id.example/authorize",
    "token_endpoint": "https://id.example/token",
    "jwks_uri": "https://id.example/jwks",
}
SETTINGS = {
    **dict.fromkeys(
        (
            "OVERREAD_TABLE",
            "OVERREAD_INPUT_BUCKET",
            "OVERREAD_OUTPUT_BUCKET",
            "OVERREAD_USE_CASES",
            "OVERREAD_APPCONFIG_APPLICATION",
            "OVERREAD_APPCONFIG_ENVIRONMENT",
            "OVERREAD_SPOT_CHECK_SECRET",
            "OVERREAD_REVIEW_TABLE",
            "OVERREAD_REVIEW_BUCKET",
            "OVERREAD_REVIEW_BUS",
        ),
        "x",
    ),
    "OVERREAD_REVIEW_SETTINGS": "{}",
    "OVERREAD_PORTAL_URL": "https://reviews.example/live",
    "OVERREAD_SESSION_SECRET": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:s",
    "OVERREAD_IDENTITY": json.dumps({"providers": [REVIEWER_SIGN_IN]}),
}
