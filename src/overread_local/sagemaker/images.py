"""Which program stands for a container image: the folders that a local stack runs in place of images.

`images.json` in the stack's state folder maps a repository to a folder with the executables `train` and
`serve`, for example `{"overread/digits": "/…/examples/models/labeling/digits"}`. The registry host, the
tag and the digest of an image are not looked at.
"""

import json
import os
from pathlib import Path


class ImageMissing(Exception):  # noqa: N818 - an outcome of a job, not a defect
    """No folder stands for the image, or it lacks the program; the message says which."""


def repository_of(image: str) -> str:
    """The repository of an image: `HOST/overread/digits:1@sha256:…` is `overread/digits`."""
    first, slash, rest = image.partition("/")
    path = rest if slash and ("." in first or ":" in first or first == "localhost") else image
    return path.partition("@")[0].partition(":")[0]


class Images:
    """The registry, read anew at every job so that an entry counts at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def knows(self, image: str) -> bool:
        return repository_of(image) in self._entries()

    def folder(self, image: str, *, program: str) -> Path:
        """The folder that stands for an image.

        Raises:
            ImageMissing: it is not registered, or has no executable of that name.
        """
        repository = repository_of(image)
        entry = self._entries().get(repository)
        if entry is None:
            raise ImageMissing(
                f"no folder stands for the image repository {repository}: add it to {self._path}"
            )
        folder = Path(entry)
        if not os.access(folder / program, os.X_OK):
            raise ImageMissing(f"{folder} stands for {repository} and has no executable '{program}'")
        return folder

    def _entries(self) -> dict[str, str]:
        if not self._path.is_file():
            return {}
        entries: dict[str, str] = json.loads(self._path.read_text())
        return entries
