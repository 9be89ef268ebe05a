"""Writes the templates that are deployed into a folder (reads only): fetch_deployed.py PREFIX FOLDER."""

import json
import sys
from pathlib import Path

import boto3


def main(prefix: str, folder: Path) -> int:
    """One `STACK.template.json` for each stack that is deployed; exit code 3 when none is."""
    client = boto3.client("cloudformation")
    folder.mkdir(parents=True, exist_ok=True)
    pages = client.get_paginator("describe_stacks").paginate()
    names = [stack["StackName"] for page in pages for stack in page["Stacks"]]
    deployed = [name for name in names if name.startswith(f"{prefix}-")]
    for name in deployed:
        body = client.get_template(StackName=name)["TemplateBody"]
        text = body if isinstance(body, str) else json.dumps(body, indent=1)
        (folder / f"{name}.template.json").write_text(text, encoding="utf-8")
    print(f"{len(deployed)} stacks of {prefix} are deployed")
    return 0 if deployed else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
