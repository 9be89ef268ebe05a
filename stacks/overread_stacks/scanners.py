"""Checkov and cfn-guard's Control Tower rules over templates, and which findings are not acknowledged."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from overread_constructs.acknowledgements import CHECKOV, CONTROL_TOWER, finding_id
from overread_stacks.acknowledgement_terms import fault, read_acknowledged, read_paths

_RULE = re.compile(r"\[(CT\.[A-Z0-9]+\.PR\.\d+)\]: ([^\\]*)")
_AT = re.compile(r'"path": "/Resources/(\w+)')
_FOUND = 19
"""What cfn-guard exits with when a rule fails; 0 when none does."""


class ScannerError(Exception):
    """A scanner is not there, or did not do its work."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One rule that one resource breaks."""

    pack: str
    rule: str
    template: Path
    logical_id: str
    says: str

    def __str__(self) -> str:
        stack = self.template.name.removesuffix(".template.json")
        return f"{self.pack} {self.rule}: {stack} {self.logical_id}: {self.says}"


def run_checkov(templates: Sequence[Path], *, environment: Path) -> list[Finding]:
    """What checkov finds; it asks no service.

    Raises:
        ScannerError: when it cannot run.
    """
    with _filled_in(templates) as folder:
        said = _run(
            [environment / "bin/checkov", "--directory", folder, "--framework", "cloudformation"],
            ["--output", "json", "--compact", "--quiet", "--skip-download"],
            may_exit=(0, 1),
        )
    report = json.loads(said)
    if "results" not in report:
        raise ScannerError(f"checkov looked at nothing: {said[:200]}")
    by_name = {template.name: template for template in templates}
    return sorted(
        Finding(
            pack=CHECKOV,
            rule=check["check_id"],
            template=by_name[Path(check["file_path"]).name],
            logical_id=check["resource"].partition(".")[2],
            says=check["check_name"],
        )
        for check in report["results"]["failed_checks"]
    )


def run_guard(templates: Sequence[Path], *, environment: Path) -> list[Finding]:
    """What the Control Tower rules find that the cfn-guard plugin of the CDK brings with it.

    Raises:
        ScannerError: when it cannot run.
    """
    program, rules = _unpack_guard(environment)
    with _filled_in(templates) as folder:
        said = _run(
            [program, "validate", "--rules", rules, "--data", folder],
            ["--structured", "--output-format", "json", "--show-summary", "none"],
            may_exit=(0, _FOUND),
        )
    by_name = {template.name: template for template in templates}
    found = set()
    for report in json.loads(said):
        for failed in report["not_compliant"]:
            text = json.dumps(failed)
            named = _RULE.search(text)
            rule, says = (named[1], named[2]) if named else (failed["Rule"]["name"], "")
            template = by_name[Path(report["name"]).name]
            # A rule that names no resource must not be lost: it is acknowledged nowhere.
            found |= {
                Finding(pack=CONTROL_TOWER, rule=rule, template=template, logical_id=at, says=says)
                for at in _AT.findall(text) or [""]
            }
    return sorted(found)


def _run(program: Sequence[Path | str], options: Sequence[str], *, may_exit: tuple[int, ...]) -> str:
    command = [str(part) for part in (*program, *options)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own words
    except OSError as error:
        raise ScannerError(f"{command[0]} cannot run: {error}; `make audit` installs it") from error
    if done.returncode not in may_exit:
        raise ScannerError(f"{command[0]} exited with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


@contextmanager
def _filled_in(templates: Sequence[Path]) -> Iterator[Path]:
    """A folder with the templates, in which what CloudFormation will fill in from elsewhere is text.

    The scanners know text and references inside a template only, and take an imported key for none.
    """
    with tempfile.TemporaryDirectory() as name:
        for template in templates:
            document = _text_for(json.loads(template.read_text(encoding="utf-8")))
            Path(name, template.name).write_text(json.dumps(document), encoding="utf-8")
        yield Path(name)


def _text_for(node: Any) -> Any:
    if isinstance(node, list):
        return [_text_for(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    match list(node.items()):
        case [("Fn::ImportValue", str(export))]:
            return f"arn:aws:imported:::{export}"
        case [("Ref", str(name))] if name.startswith("AWS::"):
            return "111122223333" if name == "AWS::AccountId" else "aws"
        case [("Fn::Join", [str(delimiter), list(parts)])]:
            return _joined(delimiter, parts=[_text_for(part) for part in parts])
        case _:
            return {name: _text_for(value) for name, value in node.items()}


def _joined(delimiter: str, *, parts: list[Any]) -> Any:
    # What begins with a resource's attribute is that resource's, which the rules look up.
    if not isinstance(parts[0], str):
        return {"Fn::Join": [delimiter, parts]}
    return delimiter.join(part if isinstance(part, str) else "filled-in" for part in parts)


def _unpack_guard(environment: Path) -> tuple[Path, Path]:
    """The program and the folder of rules, out of the package that the CDK plugin is."""
    target = environment / "cfn-guard"
    system = "macos" if platform.system() == "Darwin" else "ubuntu"
    machine = "aarch64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    program = target / "package" / "bin" / system / machine / "cfn-guard"
    if not program.is_file():
        archives = sorted(environment.glob("lib/python*/site-packages/cdklabs/*/_jsii/*.jsii.tgz"))
        if not archives:
            raise ScannerError(f"{environment} holds no cfn-guard; `make audit` installs it")
        with tarfile.open(archives[-1]) as archive:
            archive.extractall(target, filter="data")
        program.chmod(0o755)
    return program, target / "package" / "rules" / "control-tower" / "cfn-guard"


def left_over(findings: Iterable[Finding], *, today: date) -> Iterator[Finding]:
    """Findings that no construct above their resource acknowledges on this day."""
    for finding in findings:
        path = read_paths(finding.template).get(finding.logical_id, "")
        wanted = finding_id(finding.pack, finding.rule)
        in_force = (
            acknowledged
            for acknowledged in read_acknowledged([finding.template])
            if acknowledged.rule == wanted
            and f"{path}/".startswith(f"{acknowledged.path}/")
            and fault(acknowledged, today=today) is None
        )
        if next(in_force, None) is None:
            yield finding
