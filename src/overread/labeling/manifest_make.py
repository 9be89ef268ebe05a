"""Input manifests out of lists: addresses of objects, or texts."""

from collections.abc import Iterable, Iterator

from overread.labeling.manifest import Row


def rows_of_keys(keys: Iterable[str], *, prefix: str) -> Iterator[Row]:
    """An object for each key: `prefix` (s3://BUCKET/FOLDER/ or "") and the key; whole addresses stay.

    Keys are taken as they are: S3's keys are not percent-encoded in a manifest.
    """
    for key in keys:
        yield {"source-ref": key if key.startswith("s3://") else prefix + key}


def rows_of_texts(texts: Iterable[str]) -> Iterator[Row]:
    """An object for each text; line feeds in it are escaped, as one line of a manifest must be."""
    for text in texts:
        yield {"source": text}
