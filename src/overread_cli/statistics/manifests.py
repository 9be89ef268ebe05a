"""Ground Truth's and A2I's files as tables: augmented manifests, and what each worker answered.

An augmented manifest has one object a line: its input (`source-ref` or `source`), and for each label
attribute the members `NAME` and `NAME-metadata`. Where labels of several workers are wanted, each label
attribute is one worker: that is how two labelling jobs, or a job and a model, are compared. The answers of
single workers are in the payloads of consolidation functions and in the output documents of human loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from overread.strict_json import parse_json
from overread_cli.statistics.frame import faults_of, rows_text
from overread_cli.statistics.tables import Objects, Source, Table

_METADATA = "-metadata"
Row = Mapping[str, Any]


def is_manifest(row: Row) -> bool:
    """Whether this is a line of an augmented manifest: an input with a label attribute, or by address."""
    return "source-ref" in row or ("source" in row and bool(_attributes([row])))


def is_answers(row: Row) -> bool:
    """Whether this is an entry of a consolidation payload or the output document of a human loop."""
    return "annotations" in row or "humanAnswers" in row


def manifest_votes(source: Source, objects: Objects, *, attributes: Sequence[str]) -> Table:
    """item, worker, label: each label attribute is a worker; all of them without `attributes`.

    A line without an attribute has no vote of it.
    """
    chosen = _chosen(source, objects.rows, attributes)
    items: list[Any] = []
    workers: list[str] = []
    labels: list[Any] = []
    for attribute in chosen:
        for item, label, _ in _labels(source, objects.rows, attribute, is_needed=False):
            items.append(item)
            workers.append(attribute)
            labels.append(label)
    columns = {"item": items, "worker": workers, "label": labels}
    return Table(source.name, columns, len(items), ("item", "worker", "label"), objects.sha256)


def manifest_gold(source: Source, objects: Objects, *, attribute: str | None) -> Table:
    """item, label of one label attribute, which must be named where there are several."""
    chosen = _one(source, objects.rows, attribute, option="--gold-attribute")
    read = list(_labels(source, objects.rows, chosen, is_needed=False))
    columns = {"item": [item for item, *_ in read], "label": [label for _, label, _ in read]}
    return Table(source.name, columns, len(read), ("item", "label"), objects.sha256)


def manifest_scores(source: Source, objects: Objects, *, prediction: str | None, truth: str | None) -> Table:
    """id, confidence, label, truth of the lines that have both label attributes.

    Raises:
        InvalidDataError: they are not named, or not there.
    """
    if prediction is None or truth is None:
        there = ", ".join(_attributes(objects.rows))
        raise faults_of(
            source.name,
            (
                "an augmented manifest needs --prediction-attribute (its confidence counts) and "
                f"--truth-attribute; its label attributes: {there}",
            ),
        )
    _chosen(source, objects.rows, (prediction, truth))
    told = [row for row in objects.rows if prediction in row and truth in row]
    if not told:
        raise faults_of(source.name, (f"no line has both {prediction!r} and {truth!r}",))
    predicted = list(_labels(source, told, prediction, is_needed=True))
    true = list(_labels(source, told, truth, is_needed=True))
    columns = {
        "id": [item for item, *_ in predicted],
        "confidence": [confidence for *_, confidence in predicted],
        "label": [label for _, label, _ in predicted],
        "truth": [label for _, label, _ in true],
    }
    return Table(source.name, columns, len(told), ("id", "confidence", "label", "truth"), objects.sha256)


def answer_votes(source: Source, objects: Objects, *, answer: str | None) -> Table:
    """item, worker, label of what each worker answered; `answer` is the JMESPath of the label in an answer.

    Without it the answer must hold exactly one member `label` with a text, as Crowd HTML's classifiers do.

    Raises:
        InvalidDataError: an entry has no item, worker or label; the expression is none.
    """
    find = _by_expression(source, answer) if answer else _only_label
    columns: dict[str, list[Any]] = {"item": [], "worker": [], "label": []}
    broken, without = [], []
    for number, row in enumerate(objects.rows, 1):
        item = _answered_item(row)
        if item is None:
            broken.append(number)
            continue
        for worker, content in _answers(row):
            label = find(content)
            if worker is None or not isinstance(label, str | int) or isinstance(label, bool):
                without.append(number)
                break
            for name, value in (("item", item), ("worker", worker), ("label", label)):
                columns[name].append(value)
    faults = []
    if broken:
        faults.append(
            f"{rows_text(broken)}: neither a consolidation payload's entry (datasetObjectId, annotations) "
            "nor a human loop's output (humanLoopName, humanAnswers)"
        )
    if without:
        faults.append(
            f"{rows_text(without)}: an answer without worker or without one label; "
            "--answer PATH tells where it is"
        )
    if faults:
        raise faults_of(source.name, tuple(faults))
    return Table(source.name, columns, len(columns["item"]), tuple(columns), objects.sha256)


def _item(row: Row) -> Any:
    return row.get("source-ref", row.get("source"))


def _attributes(rows: Sequence[Row]) -> tuple[str, ...]:
    """Label attributes in the order in which they come."""
    names: dict[str, None] = {}
    for row in rows:
        for name in row:
            if name.endswith(_METADATA) and name.removesuffix(_METADATA) in row:
                names[name.removesuffix(_METADATA)] = None
    return tuple(names)


def _chosen(source: Source, rows: Sequence[Row], attributes: Sequence[str]) -> tuple[str, ...]:
    there = _attributes(rows)
    unknown = [name for name in attributes if name not in there]
    if unknown:
        raise faults_of(
            source.name,
            (f"no label attribute {', '.join(map(repr, unknown))}; there are: {', '.join(there) or 'none'}",),
        )
    if not there:
        raise faults_of(source.name, ("no line has a label attribute (NAME and NAME-metadata)",))
    return tuple(attributes) or there


def _one(source: Source, rows: Sequence[Row], attribute: str | None, *, option: str) -> str:
    chosen = _chosen(source, rows, (attribute,) if attribute else ())
    if len(chosen) > 1:
        raise faults_of(source.name, (f"several label attributes, {option} names one: {', '.join(chosen)}",))
    return chosen[0]


def _labels(
    source: Source, rows: Sequence[Row], attribute: str, *, is_needed: bool
) -> Iterator[tuple[Any, Any, Any]]:
    """Item, class name and confidence of each line that has the attribute."""
    homeless, nameless = [], []
    for number, row in enumerate(rows, 1):
        if not is_needed and attribute not in row:
            continue
        told = row.get(f"{attribute}{_METADATA}")
        name = told.get("class-name") if isinstance(told, dict) else None
        if not isinstance(_item(row), str):
            homeless.append(number)
        elif not isinstance(name, str) or not isinstance(told, dict):
            nameless.append(number)
        else:
            yield _item(row), name, told.get("confidence")
    faults = []
    if homeless:
        faults.append(f"{rows_text(homeless)}: neither source-ref nor source")
    if nameless:
        faults.append(
            f"{rows_text(nameless)}: {attribute}{_METADATA} has no class-name; only classifications are read"
        )
    if faults:
        raise faults_of(source.name, tuple(faults))


def _answered_item(row: Row) -> str | None:
    if isinstance(row.get("humanAnswers"), list):
        name = row.get("humanLoopName")
        return name if isinstance(name, str) else None
    if not isinstance(row.get("annotations"), list):
        return None
    place = row.get("dataObject")
    where = place.get("s3Uri", place.get("s3uri")) if isinstance(place, dict) else None
    name = where or row.get("datasetObjectId")
    return str(name) if name is not None else None


def _answers(row: Row) -> Iterator[tuple[str | None, Any]]:
    """Worker and content of each answer."""
    for one in row.get("humanAnswers", row.get("annotations", ())):
        if not isinstance(one, dict):
            yield None, None
            continue
        worker = one.get("workerId")
        content = one.get("answerContent")
        data = one.get("annotationData")
        if content is None and isinstance(data, dict):
            content = data.get("content")
        yield worker if isinstance(worker, str) and worker else None, _parsed(content)


def _parsed(content: Any) -> Any:
    """Ground Truth writes the content as JSON in a text."""
    if not isinstance(content, str):
        return content
    try:
        return parse_json(content)
    except ValueError:
        return None


def _only_label(content: Any) -> Any:
    found = list(_label_members(content))
    return found[0] if len(found) == 1 else None


def _label_members(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            if name == "label" and isinstance(value, str):
                yield value
            else:
                yield from _label_members(value)
    elif isinstance(content, list):
        for value in content:
            yield from _label_members(value)


def _by_expression(source: Source, expression: str) -> Any:
    import jmespath  # noqa: PLC0415 - only where an expression is given
    from jmespath.exceptions import JMESPathError  # noqa: PLC0415 - as above

    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as error:
        first = str(error).splitlines()[0]
        raise faults_of(source.name, (f"--answer {expression!r} is no JMESPath: {first}",)) from error

    def find(content: Any) -> Any:
        try:
            return compiled.search(content)
        except JMESPathError:
            return None

    return find
