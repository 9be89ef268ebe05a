"""The same diagnosis with the SageMaker Python SDK, version 3: a raw, unreviewed prediction of one endpoint.

Needs the extra `overread[sagemaker]`, or just `sagemaker-core`. As in `invoke_endpoint_boto3.py`, a
diagnostic role is needed, here with `sagemaker:DescribeEndpoint` as well. Applications use `decide.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from invoke_endpoint_boto3 import WARNING, diagnostic_session

try:
    from sagemaker.core.resources import Endpoint  # type: ignore[import-not-found, unused-ignore]
except ImportError as missing:
    sys.exit(f"the SageMaker SDK v3 is needed ({missing}): pip install sagemaker-core")


def main() -> None:
    """Command line; prints the endpoint's reply on standard output and the warning on standard error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("endpoint", help="for example overread-demo-loan-approval")
    parser.add_argument("case", type=Path, help="JSON file with the visible input: no withheld fields")
    parser.add_argument("--role-arn", help="diagnostic role to assume")
    arguments = parser.parse_args()
    session = diagnostic_session(arguments.role_arn)
    endpoint = Endpoint.get(arguments.endpoint, session=session, region=session.region_name)
    reply = endpoint.invoke(
        body=arguments.case.read_text(encoding="utf-8"),
        content_type="application/json",
        accept="application/json",
        session=session,
        region=session.region_name,
    )
    print(WARNING, file=sys.stderr)
    print(json.dumps(json.loads(reply.body.read()), indent=2))


if __name__ == "__main__":
    main()
