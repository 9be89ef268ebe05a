"""Model archives: what serves, what is broken and how that is told."""

import io
import json
import os
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from overread_local.inference_code import BrokenArchiveError, ContainerError, load

SERVING = """
import json

def model_fn(model_dir):
    return 40

def input_fn(body, content_type):
    return json.loads(body)

def predict_fn(data, model):
    return data["a"] + model

def output_fn(prediction, accept):
    return json.dumps(prediction)
"""


def packed(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_an_archive_answers_through_its_four_functions(tmp_path: Path) -> None:
    loaded = load(packed({"code/inference.py": SERVING}), folder=tmp_path / "m", environment={})
    body, kind = loaded.answer(b'{"a": 2}', content_type="application/json", accept="application/json")
    assert (json.loads(body), kind) == (42, "application/json")


def test_output_fn_may_name_its_own_content_type(tmp_path: Path) -> None:
    code = SERVING.replace("return json.dumps(prediction)", "return (b'\\x00', 'application/x-npy')")
    loaded = load(packed({"code/inference.py": code}), folder=tmp_path / "m", environment={})
    answer = loaded.answer(b'{"a": 2}', content_type="application/json", accept="*/*")
    assert answer == (b"\x00", "application/x-npy")


def test_text_reaches_input_fn_as_text_and_the_rest_as_bytes(tmp_path: Path) -> None:
    code = SERVING.replace("return json.loads(body)", "return {'a': 1 if isinstance(body, str) else 2}")
    loaded = load(packed({"code/inference.py": code}), folder=tmp_path / "m", environment={})
    kinds = ("application/json; charset=utf-8", "text/csv", "application/x-npy")
    answers = [loaded.answer(b"x", content_type=kind, accept="application/json")[0] for kind in kinds]
    assert answers == [b"41", b"41", b"42"]


def test_what_the_code_raises_comes_back_as_its_traceback(tmp_path: Path) -> None:
    loaded = load(packed({"code/inference.py": SERVING}), folder=tmp_path / "m", environment={})
    with pytest.raises(ContainerError, match="KeyError: 'a'"):
        loaded.answer(b"{}", content_type="application/json", accept="application/json")


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (b"nonsense", "cannot be unpacked"),
        (b"", "cannot be unpacked"),
        (packed({"model.json": "{}"}), "has no code/inference.py"),
        (packed({"code/inference.py": "def model_fn(d): pass"}), "define input_fn, predict_fn, output_fn"),
        (packed({"code/inference.py": "import no_such_module"}), "raised ModuleNotFoundError"),
        (packed({"code/inference.py": "raise SystemExit(3)"}), "raised SystemExit"),
        (
            packed({"code/inference.py": SERVING.replace("return 40", "raise OSError('no')")}),
            "raised OSError: no",
        ),
        (packed({"../escaped.txt": "x"}), "cannot be unpacked"),
    ],
)
def test_a_broken_archive_says_why_and_leaves_nothing(tmp_path: Path, archive: bytes, reason: str) -> None:
    with pytest.raises(BrokenArchiveError, match=reason):
        load(archive, folder=tmp_path / "m", environment={})
    assert list(tmp_path.iterdir()) == []


def test_archives_keep_their_own_modules_apart(tmp_path: Path) -> None:
    def with_helper(number: int) -> bytes:
        code = SERVING.replace("return 40", "import weights\n    return weights.B")
        return packed({"code/inference.py": code, "code/weights.py": f"B = {number}"})

    first = load(with_helper(1), folder=tmp_path / "a", environment={})
    second = load(with_helper(2), folder=tmp_path / "b", environment={})
    body = b'{"a": 0}'
    assert first.answer(body, content_type="application/json", accept="*/*")[0] == b"1"
    assert second.answer(body, content_type="application/json", accept="*/*")[0] == b"2"
    assert "weights" not in sys.modules
    assert not any(str(tmp_path) in entry for entry in sys.path)


def test_a_containers_variables_are_there_while_its_model_is_read_and_gone_later(tmp_path: Path) -> None:
    code = SERVING.replace("return 40", "import os\n    return int(os.environ['BASE'])")
    archive = packed({"code/serve.py": code})
    environment = {"SAGEMAKER_PROGRAM": "serve.py", "BASE": "10"}
    loaded = load(archive, folder=tmp_path / "m", environment=environment)
    assert loaded.answer(b'{"a": 1}', content_type="application/json", accept="*/*")[0] == b"11"
    assert "BASE" not in os.environ


def test_a_discarded_archive_is_removed(tmp_path: Path) -> None:
    loaded = load(packed({"code/inference.py": SERVING}), folder=tmp_path / "m", environment={})
    loaded.discard()
    assert list(tmp_path.iterdir()) == []
