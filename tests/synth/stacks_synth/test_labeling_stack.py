"""The labeling stack: each task type's exact request on both backends, what is granted, what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from botocore.validate import ParamValidator
from tests.synth.stacks_synth.conftest import ACCOUNT, REPOSITORY, as_list

from overread.labeling.job_documents import read_spec
from overread.labeling.jobs import create_request
from overread.labeling.task_types import (
    TASK_TYPES,
    Purpose,
    TaskType,
    algorithm_arn,
    consolidation_arn,
    human_task_ui_arn,
    pre_annotation_arn,
)
from overread_config import load_settings
from overread_constructs import LabelingJob, PropsError, Workteam
from overread_lambda.labeling_job_resource import merged
from overread_stacks.app_factory import FEATURE_FLAGS, build_app
from overread_stacks.checks import add_every_check

REGION = "eu-central-1"
BACKENDS = ("ground-truth", "overread")
SHAPE = (
    botocore.session.get_session()
    .get_service_model("sagemaker")
    .operation_model("CreateLabelingJob")
    .input_shape
)
SAMPLES = {
    "role_arn": "arn:aws:iam::111122223333:role/labeling",
    "workteam_arn": f"arn:aws:sagemaker:{REGION}:111122223333:workteam/private-crowd/labelers",
    "pre_annotation_arn": f"arn:aws:lambda:{REGION}:111122223333:function:pre",
    "consolidation_arn": f"arn:aws:lambda:{REGION}:111122223333:function:consolidate",
    "output_kms_key": "key",
}
SEQUENCE = {"documentVersion": "2020-03-01", "labels": [{"label": "Car"}]}
TEMPLATES = {
    "BoundingBox": "bounding-box",
    "NamedEntityRecognition": "named-entities",
    "SemanticSegmentation": "semantic-segmentation",
}


@dataclass(frozen=True)
class Synthesized:
    """The labeling stack of a deployment and what the rule packs found in all of it."""

    template: dict[str, Any]
    findings: list[Any]

    def resources(self, kind: str, *, like: str = "") -> dict[str, dict[str, Any]]:
        return {
            name: one["Properties"]
            for name, one in self.template["Resources"].items()
            if one["Type"] == kind and like in name
        }

    def policy(self, *, role: str) -> list[dict[str, Any]]:
        """The statements of the one policy that belongs to a role whose logical id has `role` in it."""
        (found,) = (
            one
            for one in self.resources("AWS::IAM::Policy").values()
            if any(role in owner.get("Ref", "") for owner in as_list(one["Roles"]))
        )
        return list(found["PolicyDocument"]["Statement"])

    def actions(self, *, role: str) -> set[str]:
        return {
            action
            for one in self.policy(role=role)
            if one["Effect"] == "Allow"
            for action in as_list(one["Action"])
        }

    def document(self, name: str) -> dict[str, Any]:
        """A job's `job.json`, stand-ins in place of what CloudFormation will know."""
        for one in self.resources("Custom::OverreadLabelingFiles").values():
            if one["Folder"] == f"labeling/{name}":
                values = {
                    section: {field: known(field, value) for field, value in fields.items()}
                    for section, fields in one["Values"].items()
                }
                return merged({**one, "Values": values})
        raise KeyError(name)


def known(field: str, value: Any) -> Any:
    """A stand-in for a value with references."""
    if field in SAMPLES:
        return SAMPLES[field]
    match value:
        case {"Fn::Join": [_, parts]}:
            return "".join(part if isinstance(part, str) else "bucket" for part in parts)
        case {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::ImportValue": _} | {"Fn::Select": _}:
            return "known"
        case dict():
            return {name: known(name, inner) for name, inner in value.items()}
        case list():
            return [known(field, inner) for inner in value]
    return value


def name_of(task: TaskType) -> str:
    name = task.name.lower().replace("adjustment", "adj").replace("verification", "ver")
    return name.replace("pointcloud", "pc").replace("semanticsegmentation", "seg")


def job_of(task: TaskType, *, backend: str) -> dict[str, Any]:
    template = TEMPLATES.get(task.name.removeprefix("Verification").removeprefix("Adjustment"))
    job: dict[str, Any] = {
        "name": name_of(task),
        "task_type": task.name,
        "title": "Label it",
        "description": "Look at it — and say what it is.",
        "label_attribute": "label-ref" if task.is_reference else "label",
        "team": "labelers",
        "data": {"class": "personal"},
    }
    if task.purpose is not Purpose.LABEL:
        job["audited_attribute"] = "earlier"
    if task.is_sequence:
        return job | {
            "category_file": "labeling/sequence.json",
            "redundancy": {"workers": 1},
            "time_limits": {"task_s": 604800},
        }
    own = template or ("text-classification" if "Text" in task.name else "image-classification")
    return job | {
        "categories": [{"label": "käse"}, {"label": "b"}],
        "instructions": {"short": "Look", "full": "<p>Look again</p>"},
        "template": f"templates/{own}/template.liquid.html",
        **({"start": "at-deployment"} if task.name in ("BoundingBox", "PassThrough") else {}),
    }


def deployment(project: Path, *, name: str, backend: str, jobs: dict[str, Any] | list[str]) -> Path:
    """A configuration with these jobs, in the project's folder."""
    settings = yaml.safe_load((project / "config" / "labeling.yaml").read_text())
    settings["environment"] = name
    settings["retention"].pop("audit_lock")  # `off`, which a dump would write as a boolean
    if backend == "ground-truth":
        settings["review"] = {"backend": "a2i"}
    folder = project / "labeling" / name
    folder.mkdir(exist_ok=True)
    (project / "labeling" / "sequence.json").write_text(json.dumps(SEQUENCE))
    if isinstance(jobs, dict):
        for job, content in jobs.items():
            (folder / f"{job}.yaml").write_text(yaml.safe_dump(content))
        settings["labeling"] = {"backend": backend, "jobs": f"labeling/{name}/"}
    file = project / "config" / f"{name}.yaml"
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    return file


def synthesize(file: Path, *, folder: Path) -> Synthesized:
    app = App(
        outdir=str(folder),
        context={**FEATURE_FLAGS, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    settings = load_settings(file)
    build_app(settings, environ=ACCOUNT, app=app)
    add_every_check(app, today=datetime.now(UTC).date())
    app.synth()  # raises when a finding is left
    report = json.loads((folder / "validation-report.json").read_text())
    return Synthesized(
        template=json.loads((folder / f"{settings.prefix}-labeling.template.json").read_text()),
        findings=[one for plugin in report["pluginReports"] for one in plugin["violations"]],
    )


def automated(task: str) -> dict[str, Any]:
    return job_of(TASK_TYPES[task], backend="ground-truth") | {
        "name": "auto",
        "start": "manually",
        "mode": "active",
        "active": {"algorithm": "amazon"},
    }


def streaming() -> dict[str, Any]:
    topic = f"arn:aws:sns:{REGION}:111122223333:"
    return job_of(TASK_TYPES["custom"], backend="ground-truth") | {
        "name": "stream",
        "objects_at": ["s3://pictures/2026/"],
        "streaming": {"input_topic_arn": f"{topic}objects", "output_topic_arn": f"{topic}labels"},
    }


@pytest.fixture(scope="module")
def made(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Synthesized]]:
    """Both backends with a job of every task type that they have."""
    found, files = {}, []
    for number, backend in enumerate(BACKENDS):
        jobs = {
            name_of(task): job_of(task, backend=backend)
            for task in TASK_TYPES.values()
            if not (backend == "overread" and task.is_sequence)
        }
        if backend == "ground-truth":
            jobs["auto"] = automated("ImageMultiClass")
            jobs["stream"] = streaming()
        file = deployment(project, name=f"every{number}", backend=backend, jobs=jobs)
        files.append(file)
        found[backend] = synthesize(file, folder=tmp_path_factory.mktemp(f"every{number}"))
    yield found
    for file in files:
        file.unlink()


@pytest.fixture(scope="module")
def examples(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """config/labeling.yaml as committed."""
    return synthesize(project / "config" / "labeling.yaml", folder=tmp_path_factory.mktemp("examples"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_task_type_gives_a_request_that_sagemaker_takes(
    backend: str, made: dict[str, Synthesized]
) -> None:
    tasks = [task for task in TASK_TYPES.values() if not (backend == "overread" and task.is_sequence)]
    assert len(tasks) == (24 if backend == "ground-truth" else 14)
    for task in tasks:
        request = create_request(read_spec(made[backend].document(name_of(task))["spec"]))
        assert ParamValidator().validate(request, SHAPE).generate_report() == "", task.name
        human = request["HumanTaskConfig"]
        own = backend == "overread" or task.is_custom
        assert human.get("PreHumanTaskLambdaArn") == (
            SAMPLES["pre_annotation_arn"] if own else pre_annotation_arn(task, region=REGION)
        )
        assert human["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"] == (
            SAMPLES["consolidation_arn"] if own else consolidation_arn(task, region=REGION)
        )
        if task.is_sequence:
            assert human["UiConfig"] == {"HumanTaskUiArn": human_task_ui_arn(task, region=REGION)}
        else:
            assert human["UiConfig"]["UiTemplateS3Uri"].startswith(f"s3://bucket/labeling/{name_of(task)}/")
        assert request["LabelingJobName"].startswith(f"overread-every{BACKENDS.index(backend)}-")
        assert request["OutputConfig"]["KmsKeyId"] == "key"
        assert request["LabelCategoryConfigS3Uri"].endswith(".json")


def test_the_tag_tells_the_review_service_the_type_of_its_output(made: dict[str, Synthesized]) -> None:
    documents = made["overread"].document
    assert documents("boundingbox")["spec"]["tags"]["overread:task-type"] == "BoundingBox"
    assert "overread:task-type" not in documents("custom")["spec"]["tags"]
    assert "overread:task-type" not in made["ground-truth"].document("boundingbox")["spec"]["tags"]


def test_automated_labeling_has_its_algorithm_in_the_network_with_the_key(
    made: dict[str, Synthesized],
) -> None:
    request = create_request(read_spec(made["ground-truth"].document("auto")["spec"]))
    algorithm = request["LabelingJobAlgorithmsConfig"]
    assert algorithm["LabelingJobAlgorithmSpecificationArn"] == algorithm_arn(
        TASK_TYPES["ImageMultiClass"], region=REGION
    )
    resources = algorithm["LabelingJobResourceConfig"]
    assert resources["VolumeKmsKeyId"]
    assert len(resources["VpcConfig"]["Subnets"]) == 2
    assert len(resources["VpcConfig"]["SecurityGroupIds"]) == 1
    assert {"iam:PassRole", "kms:CreateGrant"} <= made["ground-truth"].actions(role="AutoRole")


def test_a_streaming_job_may_use_its_topics_and_the_queue_that_ground_truth_names(
    made: dict[str, Synthesized],
) -> None:
    spec = read_spec(made["ground-truth"].document("stream")["spec"])
    assert create_request(spec)["InputConfig"]["DataSource"]["SnsDataSource"]
    statements = {
        str(as_list(one["Action"])[0]): one for one in made["ground-truth"].policy(role="StreamRole")
    }
    assert statements["sns:Subscribe"]["Resource"] == spec.input_topic_arn
    assert statements["sns:Publish"]["Resource"] == spec.output_topic_arn
    assert ":GroundTruth-*" in json.dumps(statements["sqs:CreateQueue"]["Resource"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_rule_pack_finds_anything(backend: str, made: dict[str, Synthesized]) -> None:
    assert made[backend].findings == []


def test_only_jobs_that_begin_with_the_deployment_are_resources(
    made: dict[str, Synthesized], examples: Synthesized
) -> None:
    for one in made.values():
        jobs = one.resources("Custom::OverreadLabelingJob")
        assert sorted(name[:5] for name in jobs) == ["Bound", "Passt"]
    assert examples.resources("Custom::OverreadLabelingJob") == {}
    assert set(examples.template["Outputs"]) == {
        "LabelingJobDigits",
        "LabelingJobEntities",
        "LabelingJobSentences",
        "LabelingJobVehicles",
    }


def test_what_cloudformation_carries_is_ascii(made: dict[str, Synthesized]) -> None:
    for one in made.values():
        for properties in one.resources("Custom::OverreadLabelingFiles").values():
            assert properties["Document"].isascii()
            categories = [file for file in properties["Files"] if file["Name"].startswith("categories")]
            assert all(file["Content"].isascii() for file in categories)
    assert made["overread"].document("boundingbox")["spec"]["description"].startswith("Look at it —")


def test_a_job_s_role_reads_and_writes_below_labeling_and_calls_its_two_functions_only(
    examples: Synthesized,
) -> None:
    statements = examples.policy(role="SentencesRole")
    objects = [
        json.dumps(resource)
        for one in statements
        if any(action.startswith("s3:") and "Object" in action for action in as_list(one["Action"]))
        for resource in as_list(one["Resource"])
    ]
    assert objects
    assert all(resource.endswith('"/labeling/*"]]}') for resource in objects)
    (called,) = (one["Resource"] for one in statements if one["Action"] == "lambda:InvokeFunction")
    assert {next(iter(one.values()))[0][:14] for one in called} == {"SentencesTasks", "OverreadConsol"}
    (listed,) = (one for one in statements if one["Action"] == "s3:ListBucket")
    assert listed["Condition"] == {"StringLike": {"s3:prefix": "labeling/*"}}


def test_ground_truth_assumes_the_role_for_this_account_only_and_the_service_by_its_roles(
    made: dict[str, Synthesized],
) -> None:
    (aws,) = made["ground-truth"].resources("AWS::IAM::Role", like="BoundingboxRole").values()
    (statement,) = aws["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    (own,) = made["overread"].resources("AWS::IAM::Role", like="BoundingboxRole").values()
    principals = [one["Principal"]["AWS"] for one in as_list(own["AssumeRolePolicyDocument"]["Statement"])]
    assert "sagemaker.amazonaws.com" not in json.dumps(principals)
    assert len([arn for principal in principals for arn in as_list(principal)]) >= 2


def test_the_provider_is_denied_the_public_team_and_manages_its_own_jobs_only(
    made: dict[str, Synthesized],
) -> None:
    policies = made["ground-truth"].resources("AWS::IAM::Policy")
    statements = [one for each in policies.values() for one in each["PolicyDocument"]["Statement"]]
    denied = [
        one for one in statements if one["Effect"] == "Deny" and "sagemaker" in json.dumps(one["Action"])
    ]
    assert [one["Condition"] for one in denied] == [
        {"StringEquals": {"sagemaker:WorkteamType": "public-crowd"}}
    ]
    creating = [
        one
        for one in statements
        if one["Effect"] == "Allow" and "sagemaker:CreateLabelingJob" in as_list(one["Action"])
    ]
    assert len(creating) == 2
    assert all("-????????" in json.dumps(one["Resource"]) for one in creating)


def test_functions_run_in_the_network_and_know_template_and_labels(examples: Synthesized) -> None:
    functions = examples.resources("AWS::Lambda::Function")
    assert len(functions) == 6  # four of tasks, one of labels, one of resources
    assert all("VpcConfig" in one for one in functions.values())
    (tasks,) = (one for name, one in functions.items() if name.startswith("VehiclesTasks"))
    assert tasks["Environment"]["Variables"] == {
        "TEMPLATE": "bounding-box",
        "LABELS": '["car", "bus", "bicycle"]',
        "REVIEWED_ATTRIBUTE": "",
    }


def test_a_model_has_a_role_and_the_document_says_where_it_runs(examples: Synthesized) -> None:
    places = examples.document("digits")["places"]
    assert places["model_role_arn"] == "known"
    assert len(places["model_subnets"]) == 2
    assert examples.document("sentences")["places"]["model_role_arn"] == ""
    allowed = examples.actions(role="DigitsModelRole")
    assert {"ecr:BatchGetImage", "s3:PutObject"} <= allowed
    assert "s3:DeleteObject" not in allowed
    assert "lambda:InvokeFunction" not in allowed


def test_the_document_has_the_settings_and_a_follow_up_team(examples: Synthesized) -> None:
    document = examples.document("vehicles")
    assert document["settings"]["follow_up"] == {"kind": "adjust", "most_rounds": 1, "team": "seniors"}
    assert "template" not in document["settings"]
    assert document["spec"]["manifest_uri"] == "s3://bucket/labeling/vehicles/input.manifest"
    assert document["places"]["service_url"]


def test_an_organization_s_roles_have_its_boundary_and_path(project: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load((project / "config" / "regulated.yaml").read_text())
    settings["labeling"] = {"backend": "overread", "jobs": ["labeling/vehicles.yaml"]}
    settings["teams"]["labelers"] = {"groups": ["labelers"]}
    file = project / "config" / "regulatedlabels.yaml"
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    try:
        made = synthesize(file, folder=tmp_path / "out")
    finally:
        file.unlink()
    roles = made.resources("AWS::IAM::Role").values()
    assert {one["Path"] for one in roles} == {"/acme/ml/"}
    assert all("workload-boundary" in json.dumps(one["PermissionsBoundary"]) for one in roles)


def test_a_public_team_has_a_provider_of_its_own_price_and_classifiers(project: Path, tmp_path: Path) -> None:
    job = job_of(TASK_TYPES["BoundingBox"], backend="ground-truth") | {
        "team": "crowd",
        "price_usd": 0.036,
        "data": {"class": "free-of-personal-data"},
        "time_limits": {"availability_s": 43200},
    }
    file = deployment(project, name="crowd", backend="ground-truth", jobs={"boundingbox": job})
    settings = yaml.safe_load(file.read_text())
    settings["teams"]["crowd"] = {
        "kind": "public",
        "data_free_of_personal_information": True,
        "acknowledge_closure": True,
    }
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    try:
        made = synthesize(file, folder=tmp_path / "out")
    finally:
        file.unlink()
    assert made.findings == []
    spec = made.document("boundingbox")["spec"]
    assert spec["price_usd"] == "0.036"
    assert len(spec["content_classifiers"]) == 2
    assert made.resources("AWS::Lambda::Function", like="OverreadPublicLabelingJobs")


def test_a_price_that_is_none_of_the_task_s_is_refused_at_synth(project: Path, tmp_path: Path) -> None:
    """0.012 dollars are for classification; boxes cost more."""
    job = job_of(TASK_TYPES["BoundingBox"], backend="ground-truth") | {
        "team": "crowd",
        "price_usd": 0.012,
        "data": {"class": "free-of-personal-data"},
        "time_limits": {"availability_s": 43200},
    }
    file = deployment(project, name="cheap", backend="ground-truth", jobs={"boundingbox": job})
    settings = yaml.safe_load(file.read_text())
    settings["teams"]["crowd"] = {
        "kind": "public",
        "data_free_of_personal_information": True,
        "acknowledge_closure": True,
    }
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    try:
        with pytest.raises(PropsError, match=r"price must be one of 0\.036"):
            build_app(load_settings(file), environ=ACCOUNT, app=App(outdir=str(tmp_path / "out")))
    finally:
        file.unlink()


def test_whoever_is_granted_may_start_watch_and_stop_this_job_and_read_its_labels(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path), context={"aws:cdk:bundling-stacks": []}, analytics_reporting=False)
    stack = Stack(app, "Own", env=Environment(account="111122223333", region=REGION))
    bucket, key = s3.Bucket(stack, "Bucket"), kms.Key(stack, "Key")
    job = LabelingJob(
        stack,
        "Kinds",
        name_prefix="acme",
        name="kinds",
        task_type="custom",
        label_attribute="kind",
        workteam=Workteam.from_workteam_arn(stack, "Team", arn=SAMPLES["workteam_arn"]),
        title="Kind",
        description="Which kind is it?",
        template=REPOSITORY / "templates" / "keypoint" / "template.liquid.html",
        input_bucket=bucket,
        output_bucket=bucket,
        operations_key=key,
        objects_at=["s3://pictures/2026/"],
    )
    runner = iam.Role(stack, "Runner", assumed_by=iam.AccountRootPrincipal())
    job.grant_start(runner)
    job.grant_read_labels(runner)
    resources = app.synth().get_stack_by_name("Own").template["Resources"]
    made = Synthesized(template={"Resources": resources}, findings=[])
    statements = {str(as_list(one["Action"])): one for one in made.policy(role="Runner")}
    starting = next(one for action, one in statements.items() if "CreateLabelingJob" in action)
    assert "labeling-job/acme-kinds-????????" in json.dumps(starting["Resource"])
    passing = statements["['iam:PassRole']"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert passing["Resource"]["Fn::GetAtt"][0].startswith("KindsRole")
    assert "/labeling/kinds/*" in json.dumps(made.policy(role="Runner"))
    assert '"/labeling/*"' not in json.dumps(made.policy(role="Runner"))
    assert ":s3:::pictures/2026/*" in json.dumps(made.policy(role="KindsRole"))
    functions = made.resources("AWS::Lambda::Function")
    assert all("VpcConfig" not in one for one in functions.values())


def test_every_fault_of_a_job_comes_in_one_error() -> None:
    stack = Stack(App(), "Own", env=Environment(account="111122223333", region="eu-north-1"))
    bucket, key = s3.Bucket(stack, "Bucket"), kms.Key(stack, "Key")
    with pytest.raises(PropsError) as error:
        LabelingJob(
            stack,
            "Kinds",
            name_prefix="acme",
            name="two words",
            task_type="VideoObjectTracking",
            label_attribute="kind",
            workteam=Workteam.from_workteam_arn(stack, "Team", arn=SAMPLES["workteam_arn"]),
            title="Kind",
            description="Which kind is it?",
            input_bucket=bucket,
            output_bucket=bucket,
            operations_key=key,
            price_usd=Decimal("0.036"),
            automated=True,
        )
    for words in (
        "name must be",
        "label attribute must end in -ref",
        "workers must be 1",
        "categories must be given",
        "region must be one with Ground Truth",
        "price must be absent",
        "for automated labeling",
        "has_vpc must be so",
    ):
        assert words in str(error.value), words
