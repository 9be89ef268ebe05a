"""Images of digits: multinomial logistic regression on pixels."""

import io
from typing import Any

import numpy as np
from contract import local_object, remote_object
from PIL import Image
from sklearn.linear_model import LogisticRegression


def new_model(seed: int) -> Any:
    return LogisticRegression(max_iter=1000, C=1.0, random_state=seed)


def features(entries: list[dict[str, Any]], parameters: dict[str, str] | None) -> Any:
    """Pixels in 0..1; `parameters` None reads from S3, as in scoring."""
    return np.array([_pixels(entry["source-ref"], parameters) for entry in entries])


def _pixels(uri: str, parameters: dict[str, str] | None) -> Any:
    content = (
        remote_object(uri)
        if parameters is None
        else local_object(uri, channel="objects", parameters=parameters)
    )
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=float).ravel() / 255
