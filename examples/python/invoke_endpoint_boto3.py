"""Asks a model endpoint directly, for diagnosis only: nobody reviews the answer and nothing is recorded.

Overread grants `sagemaker:InvokeEndpoint` to the router alone. This script needs another, diagnostic role,
which an administrator grants for a purpose and takes away again. Applications use `decide.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import boto3

WARNING = (
    "UNREVIEWED: a raw prediction. No threshold, no rule and no person stood behind it; do not act on it."
)


def diagnostic_session(role_arn: str | None) -> boto3.Session:
    """A session of the diagnostic role, or of the caller's own credentials when no role is named."""
    if role_arn is None:
        return boto3.Session()
    reply = boto3.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="overread-diagnosis")
    credentials = reply["Credentials"]
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def main() -> None:
    """Command line; prints the endpoint's reply on standard output and the warning on standard error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("endpoint", help="for example overread-demo-loan-approval")
    parser.add_argument("case", type=Path, help="JSON file with the visible input: no withheld fields")
    parser.add_argument("--role-arn", help="diagnostic role to assume")
    arguments = parser.parse_args()
    runtime = diagnostic_session(arguments.role_arn).client("sagemaker-runtime")
    reply = runtime.invoke_endpoint(
        EndpointName=arguments.endpoint,
        ContentType="application/json",
        Accept="application/json",
        Body=arguments.case.read_bytes(),
    )
    print(WARNING, file=sys.stderr)
    print(json.dumps(json.load(reply["Body"]), indent=2))


if __name__ == "__main__":
    main()
