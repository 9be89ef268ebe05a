"""`overread label merge`: what it fetches, and that its result is that of `overread manifest merge`."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from tests.unit.cli.labeling_jobs.conftest import MANIFEST, Office

from overread_cli.main import main


def _output(job: str) -> str:
    return f"s3://out/jobs/{job}/manifests/output/output.manifest"


def test_a_job_and_its_follow_up_become_one_manifest(office: Office, tmp_path: Path) -> None:
    office.create("first", objects=4)
    office.work(most=2)
    office.run("stop", "first", "--yes")
    office.drive()
    second = {"DataSource": {"S3DataSource": {"ManifestS3Uri": _output("first")}}}
    office.create("second", objects=4, InputConfig=second)
    office.work()
    merged = tmp_path / "labels.manifest"
    done = office.run("merge", "first", "second", "--output", str(merged))
    assert done.exit_code == 0, done.output
    assert "4 objects" in done.output
    rows = [json.loads(line) for line in merged.read_text().splitlines()]
    assert [row["source"] for row in rows] == ["woof 0", "miaow 1", "woof 2", "miaow 3"]
    assert [row["kind"] for row in rows] == [1, 0, 1, 0]
    jobs = [row["kind-metadata"]["job-name"].rpartition("/")[2] for row in rows]
    assert sorted(jobs) == ["first", "first", "second", "second"]

    files = {}
    for name, uri in (("input", MANIFEST), ("first", _output("first")), ("second", _output("second"))):
        files[name] = tmp_path / name
        files[name].write_bytes(office.lab.objects.bodies[uri])
    same = tmp_path / "same.manifest"
    arguments = ["manifest", "merge", *map(str, files.values()), "--output", str(same)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert same.read_bytes() == merged.read_bytes()


def test_files_and_jobs_are_merged_together(office: Office, tmp_path: Path) -> None:
    office.finished("done", objects=2)
    fetched = tmp_path / "of-done.manifest"
    fetched.write_bytes(office.lab.objects.bodies[_output("done")])
    merged = tmp_path / "labels.manifest"
    arguments = ("done", str(fetched), _output("done"), "--output", str(merged))
    done = office.run("merge", *arguments)
    assert done.exit_code == 0, done.output
    assert merged.read_bytes() == fetched.read_bytes()
    refused = office.run("merge", str(fetched), "--output", str(merged))
    assert refused.exit_code == 2
    assert "give --manifest" in refused.output


def test_what_is_not_there_is_told_in_a_sentence_and_nothing_is_written(
    office: Office, tmp_path: Path
) -> None:
    office.create("running")
    office.drive()
    merged = tmp_path / "labels.manifest"
    for arguments, told in (
        (("running",), "running is InProgress and has no output manifest"),
        (("nobody",), "no labeling job 'nobody'"),
        (("running", "--manifest", str(tmp_path / "none")), "there is no file"),
        (("running", "--manifest", "s3://data/none"), "s3://data/none: "),
    ):
        refused = office.run("merge", *arguments, "--output", str(merged))
        assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1), refused.output
        assert told in refused.output
    assert not merged.exists()
