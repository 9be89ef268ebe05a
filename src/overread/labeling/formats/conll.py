"""CoNLL with BIO tags: a token and its tag a line, parted by a tab; an empty line after each text.

A text whose tags are all O is labeled and empty. A text that is not labeled stands in `objects.jsonl` only,
which has all texts as they were, since CoNLL loses the spaces. Tokens are words and signs, and end where a
span does, so that every span is kept exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from overread.labeling.formats.dataset import Dataset, FormatError, Piece, Problem, shown
from overread.labeling.formats.sidecar import CLASSES, OBJECTS, json_line
from overread.labeling.formats.texts import Marked, Passage, Span
from overread.labeling.manifest import LineError, parse_line

LABELS = "labels.conll"
_TOKEN = re.compile(r"\w+|[^\w\s]")

Token = tuple[str, str]
"""A token and its tag."""


def export(dataset: Dataset[Passage]) -> Iterator[Piece | Problem]:
    """The files of the folder."""
    names = [dataset.classes[number] for number in sorted(dataset.classes)]
    yield Piece(name=CLASSES, text=json_line(names))
    yield Piece(name=OBJECTS, text="")
    yield Piece(name=LABELS, text="")
    yield from (
        Problem("", f"the label {shown(name)} must have no spaces in it for CoNLL")
        for name in names
        if re.search(r"\s", name)
    )
    for line, passage in dataset.objects():
        marked = passage.marked
        yield Piece(name=OBJECTS, text=json_line({"source": passage.text, "is_labeled": marked is not None}))
        if marked is not None:
            try:
                rows = _tokens(passage.text, marked.spans)
                yield Piece(name=LABELS, text="".join(f"{token}\t{tag}\n" for token, tag in rows) + "\n")
            except FormatError as error:
                yield from (Problem(str(line), reason) for reason in error.reasons)


def passages(
    labels: Iterable[str],
    objects: Iterable[bytes] | None,
    *,
    names: tuple[str, ...],
    place: str = LABELS + ":",
) -> Iterator[Passage | Problem]:
    """The texts, in the order of `objects`; without these, tokens joined by a space, all of them labeled.

    `place` stands before the numbers of lines in problems.
    """
    sentences = _sentences(labels)
    if objects is None:
        for first, tokens in sentences:
            joined = " ".join(token for token, _ in tokens)
            yield _read(joined, tokens, where=f"{place}{first}", names=names)
        return
    for number, line in enumerate(objects, 1):
        where = f"{OBJECTS}:{number}"
        try:
            row = parse_line(line)
        except LineError as error:
            yield Problem(where, str(error))
            continue
        text, is_labeled = row.get("source"), row.get("is_labeled")
        if not isinstance(text, str) or not isinstance(is_labeled, bool):
            yield Problem(where, "must have source, a text, and is_labeled, true or false")
        elif not is_labeled:
            yield Passage(text, None)
        elif not _TOKEN.search(text):  # its lines in the file are none
            yield Passage(text, Marked((), names))
        else:
            first, tokens = next(sentences, (0, []))
            if not tokens:
                yield Problem(where, "has no tokens among the labels")
                return
            yield _read(text, tokens, where=f"{place}{first}", names=names)
    yield from (Problem(f"{place}{first}", f"is of no text in {OBJECTS}") for first, _ in sentences)


def _tokens(text: str, spans: Iterable[Span]) -> Iterator[Token]:
    """The tokens of a text; a span begins and ends one."""
    ordered = sorted(spans, key=lambda span: span.start)
    at = 0
    rows: list[Token] = []
    for span in ordered:
        if span.start < at:
            raise FormatError(f"has overlapping entities at character {span.start}, which CoNLL cannot say")
        inner = _TOKEN.findall(text[span.start : span.end])
        if not inner or text[span.start].isspace() or text[span.end - 1].isspace():
            raise FormatError(
                f"has an entity that begins or ends with a space, {shown(text[span.start : span.end])}"
            )
        rows += [(token, "O") for token in _TOKEN.findall(text[at : span.start])]
        rows += [(token, f"{'I' if place else 'B'}-{span.label}") for place, token in enumerate(inner)]
        at = span.end
    rows += [(token, "O") for token in _TOKEN.findall(text[at:])]
    return iter(rows)


def _sentences(lines: Iterable[str]) -> Iterator[tuple[int, list[Token]]]:
    """The tokens between empty lines, with the number of their first line; -DOCSTART- lines are left out."""
    first, tokens = 0, []
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if fields and fields[0] != "-DOCSTART-":
            first = first or number
            tokens.append((fields[0], fields[-1]))
        elif tokens:
            yield first, tokens
            first, tokens = 0, []
    if tokens:
        yield first, tokens


def _read(text: str, tokens: list[Token], *, where: str, names: tuple[str, ...]) -> Passage | Problem:
    """The text with the spans of its tags; an I- that continues nothing begins a span."""
    spans: list[Span] = []
    at, before = 0, "O"
    for token, tag in tokens:
        start = text.find(token, at)
        if start < 0 or text[at:start].strip():
            return Problem(
                where, f"has the token {shown(token)} where the text has {shown(text[at : at + 20])}"
            )
        at = start + len(token)
        kind, _, label = tag.partition("-")
        if tag != "O" and (kind not in ("B", "I") or label not in names):
            allowed = ", ".join(names)
            return Problem(where, f"has the tag {shown(tag)}; must be O, B- or I- and one of {allowed}")
        if kind == "I" and before == label:
            spans[-1] = Span(label, spans[-1].start, at)
        elif tag != "O":
            spans.append(Span(label, start, at))
        before = label
    if text[at:].strip():
        return Problem(where, f"has no tokens for {shown(text[at:])}")
    return Passage(text, Marked(tuple(spans), names))
