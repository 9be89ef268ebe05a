"""CPU time of `python app.py` for the demo's four stacks, against an app with one bucket.

Both write into the same folder again and again, as `cdk synth` does: what is unchanged is not bundled anew.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Measurement, median

RUNS = 3
ONE_BUCKET = """
import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
app = cdk.App()
s3.Bucket(cdk.Stack(app, "One"), "Bucket")
app.synth()
"""


def run() -> list[Measurement]:
    """Both apps in turns, so that a noisy machine is equally unfair to both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bucket = folder / "one_bucket.py"
        bucket.write_text(ONE_BUCKET)
        _cpu_s(Path("app.py"), folder / "ours")  # bundles the handlers, and writes the bytecode of aws_cdk
        pairs = [
            (_cpu_s(Path("app.py"), folder / "ours"), _cpu_s(bucket, folder / "one")) for _ in range(RUNS)
        ]
    return [
        Measurement.against(
            "app.py: synthesis, CPU",
            value=median([mine for mine, _ in pairs]),
            unit="s",
            baseline=median([bare for _, bare in pairs]),
        )
    ]


def _cpu_s(app: Path, output: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, app],
        check=True,
        env={**os.environ, "CDK_OUTDIR": str(output), "CDK_DEFAULT_REGION": "us-east-1"},
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
