"""Latency of one automatic decision through the deployed stacks, against an empty Lambda behind the emulator.

The emulator's own time (its HTTP server, its Lambda workers, its DynamoDB and S3) is most of either figure;
the difference is what a decision asks of it.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from benchmarks.measure import Measurement, percentile
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from overread_cli.demo.cases import load_cases
from overread_cli.demo.command import decision_api
from overread_cli.demo.deployment import client_settings, deploy
from overread_local.stack import LocalStack

RUNS = 80
WARM_UP = 10
WORK_DIR = Path("build/bench")
EMPTY_HANDLER = 'def handler(event, context):\n    return {"statusCode": 200, "body": "{}"}\n'


def run() -> list[Measurement]:
    """Both paths in turns on one stack, so that a noisy machine is equally unfair to both."""
    stack = LocalStack.start(
        state_dir=WORK_DIR / "state",
        lambda_python=Path(".venv-lambda/bin/python"),
        fresh=True,
        reviewers=("ada",),
    )
    try:
        outputs = deploy(
            root=Path.cwd(),
            config=Path("config/demo.yaml"),
            work_dir=WORK_DIR,
            environment=stack.environment(),
            report=lambda _: None,
        )["overread-demo-inference"]
        stack.enforce_iam(True)
        decide = _decision(stack, outputs=outputs)
        floor = _empty_function(stack)
        pairs = [(_ms(decide), _ms(floor)) for _ in range(RUNS + WARM_UP)][WARM_UP:]
    finally:
        stack.stop()
    return [
        Measurement.against(
            f"decision end to end, {name}",
            value=percentile([ours for ours, _ in pairs], share),
            unit="ms",
            baseline=percentile([theirs for _, theirs in pairs], share),
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _ms(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def _decision(stack: LocalStack, *, outputs: Any) -> Callable[[], object]:
    api = decision_api(stack, outputs=outputs)
    case = load_cases(Path("build/models"), use_cases=["tumor-screening"], each=1)[0]
    numbers = iter(range(10**9))
    return lambda: api.decide(case.use_case, case.input, idempotency_key=f"bench-{next(numbers)}")


def _empty_function(stack: LocalStack) -> Callable[[], object]:
    """A signed POST to a REST API with IAM authorization whose function does nothing."""
    environment = stack.environment()
    settings = client_settings(environment)
    account, region = environment["CDK_DEFAULT_ACCOUNT"], environment["AWS_REGION"]
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = boto3.client("iam", **settings).create_role(
        RoleName="bench-floor",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("floor.py", EMPTY_HANDLER)
    function = boto3.client("lambda", **settings).create_function(
        FunctionName="bench-floor",
        Runtime="python3.14",
        Handler="floor.handler",
        Role=role,
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    gateway = boto3.client("apigateway", **settings)
    api = gateway.create_rest_api(name="bench-floor")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    where = {"restApiId": api, "resourceId": root, "httpMethod": "POST"}
    gateway.put_method(**where, authorizationType="AWS_IAM")
    gateway.put_integration(
        **where,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    gateway.create_deployment(restApiId=api, stageName="live")
    boto3.client("lambda", **settings).add_permission(
        FunctionName="bench-floor",
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{region}:{account}:{api}/*",
    )
    signer = SigV4Auth(
        Credentials(settings["aws_access_key_id"], settings["aws_secret_access_key"]), "execute-api", region
    )
    http = URLLib3Session()

    def post() -> None:
        request = AWSRequest("POST", stack.invoke_url(api, "live") + "/", data=b"{}")
        signer.add_auth(request)
        reply = http.send(request.prepare())
        if reply.status_code != 200:
            raise RuntimeError(f"the empty function answered {reply.status_code}: {reply.text}")

    return post
