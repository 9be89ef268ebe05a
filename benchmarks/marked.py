"""Tables that a run writes into a document, between `<!-- NAME:begin -->` and `<!-- NAME:end -->`."""

from pathlib import Path


def replace_between(document: Path, *, name: str, text: str) -> None:
    """Put `text` between the markers of `name`.

    Raises:
        ValueError: the document has not each marker once.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    whole = document.read_text()
    if whole.count(begin) != 1 or whole.count(end) != 1:
        raise ValueError(f"{document} must have {begin} and {end} once each")
    before, rest = whole.split(begin)
    after = rest.split(end)[1]
    document.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}")
