"""Writes scikit-learn's 1,797 digits as PNG images with their manifest: `digits_data.py OUTPUT S3-URI`."""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits


def write(output: Path, *, uri: str) -> Path:
    """`images/NNNN.png` of 8 by 8 pixels, and `digits.manifest` with the truth as attribute `digit`."""
    digits = load_digits()
    (output / "images").mkdir(parents=True, exist_ok=True)
    lines = []
    for number, (image, truth) in enumerate(zip(digits.images, digits.target, strict=True)):
        name = f"images/{number:04}.png"
        Image.fromarray((image * 255 / 16).astype(np.uint8)).save(output / name)
        lines.append({"source-ref": f"{uri.rstrip('/')}/{name}", "digit": str(truth)})
    manifest = output / "digits.manifest"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return manifest


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), uri=sys.argv[2]))
