"""Rules between the settings of a labeling job, and between it and its deployment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from overread.labeling import jobs, task_types
from overread.labeling.categories import SEQUENCE_VERSION
from overread.labeling.label_attributes import name_faults
from overread.labeling.pre_annotation import TEMPLATES
from overread.labeling.task_types import TASK_TYPES, Purpose, TaskType
from overread_config.breaches import refuse, refuse_given, require
from overread_config.faults import FaultList
from overread_config.labeling_files import JobBranch
from overread_config.sections import Branch

MODEL_TASKS = ("ImageMultiClass", "TextMultiClass", "custom")
"""The contract of labeling models scores one category an object."""


def check_labeling(root: Branch, faults: FaultList) -> None:
    """Note what is wrong with labeling jobs, in the files that they stand in."""
    labeling = root.get("labeling")
    if not isinstance(labeling, Branch):
        return
    _backend(root, labeling, faults)
    listed: tuple[JobBranch, ...] = labeling.get("jobs") or ()
    names = [job.get("name") for job in listed]
    for number, job in enumerate(listed):
        found = FaultList(job.file)
        _name(job, names=names, earlier=names[:number], faults=found)
        task = TASK_TYPES.get(job.get("task_type") or "")
        if task is not None:
            for rule in _TASK_RULES:
                rule(job, task, labeling.get("backend"), found)
        _team(root, job, backend=labeling.get("backend"), faults=found)
        _mode(job, faults=found)
        _start(job, faults=found)
        faults.faults.extend(found.faults)


def _backend(root: Branch, labeling: Branch, faults: FaultList) -> None:
    if labeling.get("backend") == "overread" and root.get("review.backend") == "a2i":
        refuse(
            labeling,
            "backend",
            faults=faults,
            problem="needs the review service, which is deployed with review.backend overread only",
            allowed="`ground-truth`, or review.backend: overread",
        )
    region = root.get("region")
    if labeling.get("backend") == "ground-truth" and region and region not in task_types.REGIONS:
        refuse(
            labeling,
            "backend",
            faults=faults,
            problem=f"is not in the region {region}",
            allowed=f"`overread`, or one of the regions {', '.join(task_types.REGIONS)}",
        )


def _name(job: Branch, *, names: list[str], earlier: list[str], faults: FaultList) -> None:
    name, after = job.get("name"), job.get("after")
    if name is not None and name in earlier:
        refuse(job, "name", faults=faults, problem="is given twice", allowed="a name that no other job has")
    if after is None:
        return
    refuse_given(job, "manifest", faults=faults, where="with after: that job's output is the manifest")
    if after == name or after not in names:
        known = ", ".join(f"`{other}`" for other in names if other not in (None, name))
        refuse(
            job,
            "after",
            faults=faults,
            problem="is no other job of this deployment",
            allowed=known or "leave it out",
        )


def _sequence(job: Branch, task: TaskType, backend: str | None, faults: FaultList) -> None:
    if not task.is_sequence:
        refuse_given(job, "category_file", faults=faults, where=f"with task type {task.name}")
        return
    if backend == "overread":
        refuse(
            job,
            "task_type",
            faults=faults,
            problem=f"needs the backend ground-truth: the review portal has no tool for {task.medium}",
            allowed="another task type, or labeling.backend: ground-truth",
        )
        return
    refuse_given(
        job,
        "categories",
        "instructions",
        "template",
        "pre_annotation",
        "consolidation",
        faults=faults,
        where=f"with task type {task.name}, which has Amazon's own page, functions and category document",
    )
    require(
        job,
        "category_file",
        faults=faults,
        where=f"with task type {task.name}",
        allowed=f"a label category document of {SEQUENCE_VERSION}",
    )
    file = job.get("category_file")
    if isinstance(file, Path) and not _is_sequence_document(file):
        refuse(
            job,
            "category_file",
            faults=faults,
            problem="is no label category document with `labels`",
            allowed=f"JSON with documentVersion {SEQUENCE_VERSION} and labels",
        )
    if (job.get("redundancy.workers") or 1) != 1 or not job.gives("redundancy"):
        refuse(
            job,
            "redundancy",
            faults=faults,
            problem=f"must say 1 worker for {task.name}",
            allowed="`{workers: 1}`",
        )


def _is_sequence_document(file: Path) -> bool:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(document, dict) or not isinstance(document.get("labels"), list):
        return False
    return document.get("documentVersion") == SEQUENCE_VERSION


def _attributes(job: Branch, task: TaskType, backend: str | None, faults: FaultList) -> None:
    name, audited = job.get("label_attribute"), job.get("audited_attribute")
    if name is not None:
        for fault in name_faults(name, task=task, audited=audited or ""):
            refuse(
                job,
                "label_attribute",
                faults=faults,
                problem=fault.partition(", got ")[0],
                allowed="another name",
            )
    if task.purpose is Purpose.LABEL:
        refuse_given(job, "audited_attribute", faults=faults, where=f"with task type {task.name}")
    else:
        where = f"with task type {task.name}"
        require(
            job, "audited_attribute", faults=faults, where=where, allowed="the attribute of the earlier job"
        )


def _categories(job: Branch, task: TaskType, backend: str | None, faults: FaultList) -> None:
    given = job.get("categories")
    if given is None or task.is_sequence:
        return
    most = task.maximum_labels
    if job.get("active.algorithm") == "amazon" and task.automated_maximum_labels is not None:
        most = task.automated_maximum_labels
    bounds = f"at least {task.minimum_labels}" + (f" and at most {most}" if most is not None else "")
    if len(given) < task.minimum_labels or (most is not None and len(given) > most):
        _refuse_count(job, count=len(given), allowed=f"{bounds} for {task.name}", faults=faults)
    names = [one.get("label") for one in given]
    for number, one in enumerate(given):
        if one.get("label") is not None and one.get("label") in names[:number]:
            refuse(one, "label", faults=faults, problem="is given twice", allowed="each label once")


def _refuse_count(job: Branch, *, count: int, allowed: str, faults: FaultList) -> None:
    faults.add(
        line=job.line_of("categories"),
        field="categories",
        problem="are too few or too many",
        value=str(count),
        allowed=allowed,
    )


def _page(job: Branch, task: TaskType, backend: str | None, faults: FaultList) -> None:
    if task.is_sequence:
        return
    if not (task.ui and backend == "ground-truth"):
        where = f"with task type {task.name} on {backend}"
        require(job, "template", faults=faults, where=where, allowed="the path of a worker template")
    elif job.get("template") is None:
        where = f"with Amazon's page for {task.name}"
        require(job, "instructions", faults=faults, where=where, allowed="short and full instructions")
    for key in ("pre_annotation", "consolidation"):
        if job.get(key) == "amazon" and (task.is_custom or backend == "overread"):
            refuse(
                job,
                key,
                faults=faults,
                problem="has none of Amazon's here: those exist for its task types on ground-truth",
                allowed="`overread` or a function's ARN",
            )
    template = job.get("template")
    own = job.get("pre_annotation") or ("overread" if task.is_custom or backend == "overread" else "amazon")
    if own == "overread" and isinstance(template, Path) and template.parent.name not in TEMPLATES:
        refuse(
            job,
            "template",
            faults=faults,
            problem=f"{template.parent.name} is no template of the library, whose tasks alone overread makes",
            allowed="a template of the library, or pre_annotation with a function's ARN",
        )


def _numbers(job: Branch, task: TaskType, backend: str | None, faults: FaultList) -> None:
    limits_branch = job.get("time_limits")
    longest = (jobs.SEQUENCE_TIME_LIMIT_S if task.is_sequence else jobs.TIME_LIMIT_S).maximum
    if isinstance(limits_branch, Branch) and (limits_branch.get("task_s") or 0) > longest:
        refuse(
            limits_branch,
            "task_s",
            faults=faults,
            problem=f"is too long for {task.name}",
            allowed=f"at most {longest}",
        )
    workers, most = job.get("redundancy.workers"), job.get("redundancy.adaptive.most")
    if workers is not None and most is not None and most <= workers:
        refuse(
            job.get("redundancy.adaptive"),
            "most",
            faults=faults,
            problem="is not above workers",
            allowed=f"an integer from {workers + 1} to {jobs.WORKERS.maximum}",
        )
    if job.get("streaming") is not None:
        if backend == "overread":
            refuse(
                job,
                "streaming",
                faults=faults,
                problem="needs the backend ground-truth",
                allowed="leave it out: chained jobs take more objects as they come",
            )
        refuse_given(job, "budget", "after", faults=faults, where="for a streaming job")
        if job.get("mode") in ("active", "automated"):
            refuse(
                job,
                "mode",
                faults=faults,
                problem="needs all objects, and streaming has no end",
                allowed="`human`",
            )


def _model(job: Branch, task: TaskType, backend: str | None, faults: FaultList) -> None:
    mode, active = job.get("mode"), job.get("active")
    if mode not in ("active", "automated") or not isinstance(active, Branch):
        return
    if mode == "active" and active.get("algorithm") == "amazon":
        able = [one.name for one in TASK_TYPES.values() if one.algorithm]
        if backend == "overread":
            refuse(
                active,
                "algorithm",
                faults=faults,
                problem="is Ground Truth's, and the backend is overread",
                allowed="`overread`",
            )
        elif task.name not in able:
            refuse(
                active,
                "algorithm",
                faults=faults,
                problem=f"does not know {task.name}",
                allowed=f"`overread`, or one of the task types {', '.join(able)}",
            )
    elif task.name not in MODEL_TASKS:
        refuse(
            job,
            "mode",
            faults=faults,
            problem=f"needs a model that scores one category an object, which {task.name} has not",
            allowed=f"`human`, or one of the task types {', '.join(MODEL_TASKS)}",
        )


def _team(root: Branch, job: Branch, *, backend: str | None, faults: FaultList) -> None:
    own_service = root.get("review.backend") == "overread"
    if backend == "overread" or (backend == "ground-truth" and not own_service and job.get("team")):
        where = f"with backend {backend}" if backend == "overread" else "with team"
        refuse_given(job, "workteam_arn", faults=faults, where=where)
    if backend == "ground-truth" and own_service:
        refuse_given(job, "team", faults=faults, where="on ground-truth: the teams are the review service's")
        require(
            job, "workteam_arn", faults=faults, where="where reviews are overread's", allowed="a work team"
        )
        return
    teams = {team.name: team for team in root.children("teams")}
    if not job.get("workteam_arn"):
        require(job, "team", faults=faults, where="without workteam_arn", allowed=_names(teams))
    _known_team(job, "team", teams=teams, faults=faults)
    follow_up = job.get("follow_up")
    if isinstance(follow_up, Branch):
        _known_team(follow_up, "team", teams=teams, faults=faults)
    team = teams.get(job.get("team"))
    if team is not None and team.get("kind") == "public":
        _public(job, faults=faults)
    else:
        refuse_given(job, "price_usd", faults=faults, where="without a public team")


def _names(teams: dict[str, Branch]) -> str:
    return ", ".join(f"`{name}`" for name in teams) or "a team of `teams`"


def _known_team(branch: Branch, key: str, *, teams: dict[str, Branch], faults: FaultList) -> None:
    name = branch.get(key)
    if name is not None and teams and name not in teams:
        refuse(branch, key, faults=faults, problem="is no team of this deployment", allowed=_names(teams))


def _public(job: Branch, *, faults: FaultList) -> None:
    require(job, "price_usd", faults=faults, where="with a public team", allowed="a step of the price ladder")
    if job.get("data.class") == "personal":
        refuse(
            job,
            "team",
            faults=faults,
            problem="is public, and the data of the job is personal",
            allowed="a private or vendor team, or data.class `free-of-personal-data` where that is true",
        )
    times = job.get("time_limits")
    longest = jobs.PUBLIC_AVAILABILITY_S.maximum
    if isinstance(times, Branch) and (times.get("availability_s") or 0) > longest:
        refuse(
            times,
            "availability_s",
            faults=faults,
            problem="is too long for a public team",
            allowed=f"at most {longest}",
        )


def _mode(job: Branch, *, faults: FaultList) -> None:
    mode = job.get("mode")
    is_amazons = mode == "active" and job.get("active.algorithm") == "amazon"
    if mode == "human":
        refuse_given(job, "model", "automatic", "active", faults=faults, where="with mode human")
    elif mode == "automated":
        refuse_given(job, "active", faults=faults, where="with mode automated")
        require(
            job, "model", faults=faults, where="with mode automated", allowed="a model's image and archive"
        )
        if isinstance(model := job.get("model"), Branch):
            require(model, "archive", faults=faults, where="with mode automated", allowed="a trained model")
    elif mode == "active" and not is_amazons:
        require(job, "model", faults=faults, where="with mode active", allowed="a model's image")
        if isinstance(active := job.get("active"), Branch):
            refuse_given(active, "initial_model_arn", faults=faults, where="with algorithm overread")
    elif is_amazons:
        refuse_given(job, "model", "automatic", faults=faults, where="with algorithm amazon")
    quality = job.get("quality")
    if isinstance(quality, Branch) and quality.get("gold") is None:
        refuse_given(quality, "min_gold_accuracy", faults=faults, where="without gold")


def _start(job: Branch, *, faults: FaultList) -> None:
    if job.get("start") != "at-deployment":
        return
    needs_run = [
        word
        for word, is_so in (
            (f"mode {job.get('mode')}", job.get("mode") not in ("human", None)),
            ("quality", job.gives("quality")),
            ("after", job.get("after") is not None),
            ("redundancy.adaptive", job.get("redundancy.adaptive") is not None),
            ("budget.votes", job.get("budget.votes") is not None),
        )
        if is_so
    ]
    if needs_run:
        refuse(
            job,
            "start",
            faults=faults,
            problem=f"is not enough for {' and '.join(needs_run)}, which a run takes care of",
            allowed="`manually`",
        )


_TASK_RULES: tuple[Callable[[Branch, TaskType, str | None, FaultList], None], ...] = (
    _sequence,
    _attributes,
    _categories,
    _page,
    _numbers,
    _model,
)
