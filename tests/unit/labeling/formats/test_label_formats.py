"""`overread label`: one golden file a format worked by hand, round trips, and what is refused."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from overread_cli.main import main

PICTURE_FORMATS = ["coco", "yolo", "voc", "huggingface"]
KEEPS_CONFIDENCE = ("coco", "huggingface")
METADATA = {
    "type": "groundtruth/object-detection",
    "human-annotated": "yes",
    "creation-date": "2026-01-05T10:00:12.000001",
    "job-name": "labeling-job/cars",
}


def picture(
    name: str, boxes: list[dict[str, Any]] | None = None, classes: dict[str, str] | None = None
) -> dict[str, Any]:
    """A line with a picture of 100 x 50; `boxes` None: it is not labeled."""
    if boxes is None:
        return {"source-ref": f"s3://scans/{name}"}
    return {
        "source-ref": f"s3://scans/{name}",
        "cars": {"image_size": [{"width": 100, "height": 50, "depth": 3}], "annotations": boxes},
        "cars-metadata": {
            "objects": [{"confidence": 0.75} for _ in boxes],
            "class-map": classes or {},
            **METADATA,
        },
    }


BOX = {"class_id": 3, "left": 10, "top": 20, "width": 40, "height": 10}
SCENES = [picture("a/1.jpg", [BOX], {"3": "car"}), picture("a/empty.jpg", []), picture("b/none.jpg")]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(*arguments: object, kind: str, attribute: str = "cars") -> Result:
    asked = ["--format", kind, "--label-attribute", attribute]
    verb, *rest = [str(each) for each in arguments]
    return CliRunner().invoke(main, ["label", verb, *asked, *rest])


def exported(folder: Path, rows: list[dict[str, Any]], *, kind: str, attribute: str = "cars") -> Path:
    result = run("export", write(folder / "m", rows), folder / "out", kind=kind, attribute=attribute)
    assert result.exit_code == 0, result.output
    return folder / "out"


def imported(
    folder: Path, source: Path, *more: str, kind: str, attribute: str = "cars"
) -> list[dict[str, Any]]:
    arguments = ("import", source, "--output", folder / "back", "--job", "cars", *more)
    result = run(*arguments, kind=kind, attribute=attribute)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in (folder / "back").read_text().split("\n")[:-1]]


def bare(rows: list[dict[str, Any]], *, attribute: str = "cars", sure: bool) -> list[dict[str, Any]]:
    """The lines in the order of their objects, without the time, and without confidence unless `sure`."""
    kept = json.loads(json.dumps(rows))
    for row in kept:
        metadata = row.get(f"{attribute}-metadata", {})
        metadata.pop("creation-date", None)
        for one in metadata.get("objects", []) + metadata.get("entities", []):
            one["confidence"] = one["confidence"] if sure else None
    return sorted(kept, key=lambda row: str(row.get("source-ref", row.get("source"))))


def test_coco_by_hand(tmp_path: Path) -> None:
    document = json.loads(exported(tmp_path, SCENES, kind="coco").read_text())
    image = {"width": 100, "height": 50, "depth": 3}
    assert document == {
        "info": {"description": "cars"},
        "licenses": [],
        "images": [
            {"id": 1, "file_name": "a/1.jpg", "coco_url": "s3://scans/a/1.jpg", **image},
            {"id": 2, "file_name": "a/empty.jpg", "coco_url": "s3://scans/a/empty.jpg", **image},
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 3,
                "bbox": [10, 20, 40, 10],
                "area": 400,
                "segmentation": [],
                "iscrowd": 0,
                "score": 0.75,
            }
        ],
        "unlabeled": [{"file_name": "b/none.jpg", "coco_url": "s3://scans/b/none.jpg"}],
        "categories": [{"id": 3, "name": "car"}],
    }


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def test_yolo_by_hand(tmp_path: Path) -> None:
    # The centre of the box is (10 + 40 / 2, 20 + 10 / 2) = (30, 25) in 100 x 50.
    found = files(exported(tmp_path, SCENES, kind="yolo"))
    size = '"image_size":[{"width":100,"height":50,"depth":3}]'
    assert found == {
        "data.yaml": 'path: .\ntrain: images.txt\nval: images.txt\nnames:\n  3: "car"\n',
        "images.txt": "./images/a/1.jpg\n./images/a/empty.jpg\n",
        "labels/a/1.txt": "3 0.3 0.5 0.4 0.2\n",
        "labels/a/empty.txt": "",
        "objects.jsonl": f'{{"source-ref":"s3://scans/a/1.jpg","file":"labels/a/1.txt",{size}}}\n'
        f'{{"source-ref":"s3://scans/a/empty.jpg","file":"labels/a/empty.txt",{size}}}\n'
        '{"source-ref":"s3://scans/b/none.jpg","file":null}\n',
    }


def test_voc_by_hand(tmp_path: Path) -> None:
    # Pixels 11 to 50 across and 21 to 30 down, counted from 1.
    found = files(exported(tmp_path, SCENES, kind="voc"))
    assert sorted(found) == [
        "Annotations/a/1.xml",
        "Annotations/a/empty.xml",
        "classes.json",
        "objects.jsonl",
    ]
    assert found["classes.json"] == '{"3":"car"}\n'
    assert (
        found["Annotations/a/1.xml"]
        == """<annotation>
  <filename>a/1.jpg</filename>
  <path>s3://scans/a/1.jpg</path>
  <size>
    <width>100</width>
    <height>50</height>
    <depth>3</depth>
  </size>
  <segmented>0</segmented>
  <object>
    <name>car</name>
    <pose>Unspecified</pose>
    <truncated>0</truncated>
    <difficult>0</difficult>
    <bndbox>
      <xmin>11</xmin>
      <ymin>21</ymin>
      <xmax>50</xmax>
      <ymax>30</ymax>
    </bndbox>
  </object>
</annotation>
"""
    )
    assert "<object>" not in found["Annotations/a/empty.xml"]


def test_hugging_face_by_hand(tmp_path: Path) -> None:
    found = files(exported(tmp_path, SCENES, kind="huggingface"))
    assert sorted(found) == ["classes.json", "metadata.jsonl"]
    size, nothing = {"width": 100, "height": 50, "depth": 3}, {"width": None, "height": None, "depth": None}
    assert [json.loads(line) for line in found["metadata.jsonl"].splitlines()] == [
        {
            "file_name": "a/1.jpg",
            "source-ref": "s3://scans/a/1.jpg",
            "is_labeled": True,
            **size,
            "objects": {"bbox": [[10, 20, 40, 10]], "categories": [3], "confidence": [0.75]},
        },
        {
            "file_name": "a/empty.jpg",
            "source-ref": "s3://scans/a/empty.jpg",
            "is_labeled": True,
            **size,
            "objects": {"bbox": [], "categories": [], "confidence": []},
        },
        {
            "file_name": "b/none.jpg",
            "source-ref": "s3://scans/b/none.jpg",
            "is_labeled": False,
            **nothing,
            "objects": None,
        },
    ]


@pytest.mark.parametrize("kind", PICTURE_FORMATS)
def test_empty_and_unlabeled_pictures_come_back_as_they_were(tmp_path: Path, kind: str) -> None:
    back = imported(tmp_path, exported(tmp_path, SCENES, kind=kind), kind=kind)
    assert bare(back, sure=kind in KEEPS_CONFIDENCE) == bare(SCENES, sure=kind in KEEPS_CONFIDENCE)


@st.composite
def scenes(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = {"0": "car", "7": "Bus & Co <1>", "90": "größe"}
    found = []
    for number in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            found.append(picture(f"p{number}/ü {number}.jpg"))
            continue
        boxes = []
        for _ in range(draw(st.integers(0, 3))):
            left, top = draw(st.integers(0, 90)), draw(st.integers(0, 40))
            part = draw(st.sampled_from([0, 0.25, 0.125]))
            width, height = draw(st.integers(1, 99 - left)), draw(st.integers(1, 49 - top))
            sides = {"left": left + part, "top": top, "width": width + part, "height": height}
            boxes.append({"class_id": int(draw(st.sampled_from(sorted(names)))), **sides})
        used = sorted({box["class_id"] for box in boxes})
        found.append(picture(f"p{number}/ü {number}.jpg", boxes, {str(one): names[str(one)] for one in used}))
    return found


@pytest.mark.parametrize("kind", PICTURE_FORMATS)
@settings(max_examples=40, deadline=None)
@given(rows=scenes())
def test_pictures_come_back_as_they_were(kind: str, rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        back = imported(Path(folder), exported(Path(folder), rows, kind=kind), kind=kind)
    assert bare(back, sure=kind in KEEPS_CONFIDENCE) == bare(rows, sure=kind in KEEPS_CONFIDENCE)


@pytest.mark.parametrize("kind", PICTURE_FORMATS)
def test_every_faulty_line_is_told_and_nothing_written(tmp_path: Path, kind: str) -> None:
    sizeless = picture("2.jpg", [])
    del sizeless["cars"]["image_size"]
    rows = [
        picture("1.jpg", [BOX], {"3": "car"}),
        sizeless,
        picture("3.jpg", [BOX], {"3": "bus"}),
        picture("4.jpg", [{**BOX, "left": 90}, {**BOX, "class_id": 5}], {"3": "car"}),
        picture("1.jpg"),
    ]
    manifest = write(tmp_path / "m", rows)
    result = run("export", manifest, tmp_path / "out", kind=kind)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{manifest}:2: cars.image_size must be a list of one width, height and depth, got None",
        f"{manifest}:3: class 3 is 'bus' here and 'car' before",
        f"{manifest}:4: cars.annotations[0] must have an area within 100 x 50, got "
        "left 90, top 20, width 40, height 10",
        f"{manifest}:4: cars.annotations[1] is of class 5, which has no name",
        f"{manifest}:5: is the object of line 1 again",
        "Error: 5 faults; nothing was written",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_labels_of_another_kind_are_refused(tmp_path: Path) -> None:
    metadata = {"type": "groundtruth/image-classification"}
    row = {"source-ref": "s3://scans/1", "cars": 0, "cars-metadata": metadata}
    result = run("export", write(tmp_path / "m", [row]), tmp_path / "out", kind="coco")
    assert "m:1: cars-metadata.type must be groundtruth/object-detection for this format" in result.stderr


def test_a_foreign_coco_document_must_say_what_a_bare_image_is(tmp_path: Path) -> None:
    image = {"id": 9, "file_name": "1.jpg", "width": 100, "height": 50}
    source = tmp_path / "c.json"
    source.write_text(json.dumps({"images": [image], "annotations": [], "categories": []}))
    result = run("import", source, "--prefix", "s3://scans/", "--output", tmp_path / "back", kind="coco")
    assert (result.exit_code, (tmp_path / "back").exists()) == (2, False)
    assert "c.json:images[0]: has no annotations: say with --without-annotations" in result.stderr
    more = ("--prefix", "s3://scans/", "--without-annotations")
    assert "cars" in imported(tmp_path, source, *more, "empty", kind="coco")[0]
    assert imported(tmp_path, source, *more, "unlabeled", kind="coco") == [{"source-ref": "s3://scans/1.jpg"}]


def test_every_fault_of_a_coco_document_is_told(tmp_path: Path) -> None:
    source = tmp_path / "c.json"
    image = {"id": 1, "file_name": "1.jpg", "width": 100, "height": 50}
    good = {"image_id": 1, "category_id": 0, "bbox": [0, 0, 5, 5]}
    entries = [good, {**good, "image_id": 2}, {**good, "bbox": [0, 0, 5]}, {**good, "iscrowd": 1}]
    categories = [{"id": 0, "name": "car"}, {"id": 1, "name": "car"}]
    document = {"images": [image, image], "annotations": entries, "categories": categories}
    source.write_text(json.dumps(document))
    result = run("import", source, "--prefix", "s3://scans/", "--output", tmp_path / "back", kind="coco")
    places = [line.removeprefix(f"{source}:").split(":")[0] for line in result.stderr.splitlines()[:-1]]
    assert places == [
        "categories[1]",
        "images[1]",
        "annotations[1]",
        "annotations[2]",
        "annotations[3]",
    ]


@pytest.mark.parametrize("kind", ["yolo", "voc"])
def test_two_pictures_with_one_label_file_are_refused(tmp_path: Path, kind: str) -> None:
    manifest = write(tmp_path / "m", [picture("1.jpg", []), picture("1.png", [])])
    result = run("export", manifest, tmp_path / "out", kind=kind)
    assert f"{manifest}:2: has the label file" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("kind", PICTURE_FORMATS)
@pytest.mark.parametrize("key", ["../1.jpg", "a//1.jpg", "a\\1.jpg"])
def test_a_key_that_would_leave_the_folder_is_refused(tmp_path: Path, kind: str, key: str) -> None:
    result = run("export", write(tmp_path / "m", [picture(key, [])]), tmp_path / "out", kind=kind)
    assert "m:1: source-ref must end in a plain path" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_every_fault_of_a_yolo_folder_is_told(tmp_path: Path) -> None:
    folder = exported(tmp_path, SCENES, kind="yolo")
    (folder / "labels/a/1.txt").write_text("3 0.3 0.5 0.4\n9 0.5 0.5 0.1 0.1\n3 0.9 0.5 0.4 0.2\n")
    (folder / "labels/a/empty.txt").unlink()
    result = run("import", folder, "--output", tmp_path / "back", kind="yolo")
    told = [line.removeprefix(f"{folder}:")[:40] for line in result.stderr.splitlines()[:-1]]
    assert told == [
        "labels/a/1.txt: line 1 must be a class, x, y, width"[:40],
        "labels/a/1.txt: line 2 is of class 9, which has no name"[:40],
        "labels/a/1.txt: line 3 must have an area within"[:40],
        "labels/a/empty.txt: cannot be read: [Errno 2]"[:40],
    ]
    assert not (tmp_path / "back").exists()


def test_a_foreign_voc_folder_needs_its_classes(tmp_path: Path) -> None:
    folder = exported(tmp_path, SCENES, kind="voc")
    (folder / "classes.json").unlink()
    (folder / "objects.jsonl").unlink()
    result = run("import", folder, "--output", tmp_path / "back", kind="voc")
    assert "Annotations/a/1.xml: object 1 is of the class 'car', which has no id" in result.stderr
    back = imported(tmp_path, folder, "--class", "bus", "--class", "car", kind="voc")
    assert [row["cars"]["annotations"] for row in back] == [[{**BOX, "class_id": 1}], []]


def test_an_xml_file_with_a_doctype_is_refused(tmp_path: Path) -> None:
    folder = exported(tmp_path, SCENES[:1], kind="voc")
    (folder / "Annotations/a/1.xml").write_text("<!DOCTYPE annotation><annotation/>")
    result = run("import", folder, "--output", tmp_path / "back", kind="voc")
    assert "Annotations/a/1.xml: must have no DOCTYPE" in result.stderr


def passage(
    text: str, spans: list[tuple[str, int, int]] | None, labels: tuple[str, ...] = ("person", "place")
) -> dict[str, Any]:
    """A line with a text; `spans` None: it is not labeled."""
    if spans is None:
        return {"source": text}
    entities = [{"label": label, "startOffset": start, "endOffset": end} for label, start, end in spans]
    named = [{"label": label} for label in labels]
    metadata = {**METADATA, "type": "groundtruth/text-span", "entities": [{"confidence": 0} for _ in spans]}
    return {
        "source": text,
        "ents": {"annotations": {"labels": named, "entities": entities}},
        "ents-metadata": metadata,
    }


TEXTS = [
    passage("Ann Lee met Bob in York's pub.", [("person", 0, 7), ("person", 12, 15), ("place", 19, 23)]),
    passage("Nobody  came.", []),
    passage("Not read", None),
]


def test_conll_by_hand(tmp_path: Path) -> None:
    found = files(exported(tmp_path, TEXTS, kind="conll", attribute="ents"))
    first = "Ann B-person|Lee I-person|met O|Bob B-person|in O|York B-place|' O|s O|pub O|. O||"
    second = "Nobody O|came O|. O||"
    assert found == {
        "classes.json": '["person","place"]\n',
        "labels.conll": (first + second).replace(" ", "\t").replace("|", "\n"),
        "objects.jsonl": '{"source":"Ann Lee met Bob in York\'s pub.","is_labeled":true}\n'
        '{"source":"Nobody  came.","is_labeled":true}\n'
        '{"source":"Not read","is_labeled":false}\n',
    }


@st.composite
def marked_texts(draw: st.DrawFn) -> list[dict[str, Any]]:
    alphabet = st.sampled_from("abé .-#\n\t\u2028'7\U0001f600")
    found = []
    for text in draw(
        st.lists(st.text(alphabet, min_size=1, max_size=20), min_size=1, max_size=4, unique=True)
    ):
        if not text.strip():
            continue
        if draw(st.booleans()):
            found.append(passage(text, None))
            continue
        cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True)))
        pairs = zip(cuts[::2], cuts[1::2], strict=False)
        spans = [
            (draw(st.sampled_from(["person", "place"])), start, end)
            for start, end in pairs
            if text[start:end].strip() == text[start:end]
        ]
        found.append(passage(text, spans))
    return found


@settings(max_examples=100, deadline=None)
@given(rows=marked_texts())
def test_texts_come_back_as_they_were(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = exported(Path(folder), rows, kind="conll", attribute="ents")
        back = imported(Path(folder), source, kind="conll", attribute="ents")
    assert bare(back, attribute="ents", sure=False) == bare(rows, attribute="ents", sure=False)


def test_what_conll_cannot_say_is_refused(tmp_path: Path) -> None:
    rows = [
        passage("Ann Lee", [("person", 0, 7), ("person", 4, 7)]),
        passage("Ann ", [("person", 0, 4)]),
        {"source-ref": "s3://scans/a.txt"},
    ]
    result = run("export", write(tmp_path / "m", rows[:2]), tmp_path / "out", kind="conll", attribute="ents")
    assert "m:1: has overlapping entities at character 4" in result.stderr
    assert "m:2: has an entity that begins or ends with a space, 'Ann '" in result.stderr
    result = run("export", write(tmp_path / "m", rows[2:]), tmp_path / "out", kind="conll", attribute="ents")
    assert "m:1: must have source, the text itself" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_foreign_conll_file_is_all_labeled(tmp_path: Path) -> None:
    source = tmp_path / "x.conll"
    source.write_text("-DOCSTART- -X- O O\n\nAnn NNP B-NP I-PER\nslept VBD B-VP O\n\nRain NN B-NP O\n")
    back = imported(tmp_path, source, "--class", "PER", kind="conll", attribute="ents")
    wanted = [passage("Ann slept", [("PER", 0, 3)], ("PER",)), passage("Rain", [], ("PER",))]
    assert bare(back, attribute="ents", sure=False) == bare(wanted, attribute="ents", sure=False)
    result = run("import", source, "--class", "LOC", "--output", tmp_path / "o", kind="conll", attribute="e")
    assert f"{source}:3: has the tag 'I-PER'; must be O, B- or I- and one of LOC" in result.stderr


def test_conll_tokens_that_are_not_the_texts_are_told(tmp_path: Path) -> None:
    folder = exported(tmp_path, TEXTS, kind="conll", attribute="ents")
    (folder / "labels.conll").write_text("Ann\tB-person\n\nNobody\tO\nleft\tO\n\nmore\tO\n")
    result = run("import", folder, "--output", tmp_path / "back", kind="conll", attribute="ents")
    told = [line.removeprefix(f"{folder}:labels.conll:").split(",")[0] for line in result.stderr.splitlines()]
    assert told[:3] == [
        '1: has no tokens for " Lee met Bob in York\'s pub."',
        "3: has the token 'left' where the text has '  came.'",
        "6: is of no text in objects.jsonl",
    ]


def test_every_fault_of_a_hugging_face_folder_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "hf"
    folder.mkdir()
    size = {"width": 10, "height": 10}
    rows = [
        {"file_name": "1.jpg", **size, "objects": {"bbox": [[0, 0, 5]], "categories": [0]}},
        {"file_name": "2.jpg", **size, "objects": {"bbox": [[0, 0, 5, 5]], "categories": [7]}},
        {"file_name": "3.jpg", "objects": {"bbox": [], "categories": []}},
        {"file_name": "4.jpg"},
        {"file_name": "4.jpg"},
    ]
    write(folder / "metadata.jsonl", rows)
    more = ("--class", "car", "--prefix", "s3://scans/", "--output", tmp_path / "back")
    result = run("import", folder, *more, kind="huggingface")
    assert [line.removeprefix(f"{folder}:metadata.jsonl:") for line in result.stderr.splitlines()] == [
        "1: objects 0 must have [left, top, width, height] and a class id, got [0, 0, 5] and 0",
        "2: objects 0 is of class 7, which has no name",
        "3: width, height and depth must be a list of one width, height and depth, "
        "got [{'width': None, 'height': None, 'depth': 3}]",
        "5: is the picture of line 4 again",
        "Error: 4 faults; nothing was written",
    ]
    assert not (tmp_path / "back").exists()


def test_how_many_are_labeled_is_said(tmp_path: Path) -> None:
    manifest = write(tmp_path / "m", SCENES)
    result = run("export", manifest, tmp_path / "out", kind="coco")
    assert result.output == f"{tmp_path / 'out'}: 3 objects, 2 of them labeled\n"
    result = run("import", tmp_path / "out", "--output", tmp_path / "back", kind="coco")
    assert result.output == f"{tmp_path / 'back'}: 3 objects, 2 of them labeled\n"
    result = run("export", manifest, tmp_path / "none", kind="coco", attribute="misspelt")
    assert result.output.endswith("3 objects, 0 of them labeled\n")


def test_a_line_that_a_job_failed_with_is_not_labeled(tmp_path: Path) -> None:
    failed = {"source-ref": "s3://scans/1.jpg", "cars-metadata": {"failure-reason": "expired"}}
    back = imported(tmp_path, exported(tmp_path, [failed], kind="coco"), kind="coco")
    assert back == [{"source-ref": "s3://scans/1.jpg"}]


def test_an_import_by_a_model_is_not_by_people(tmp_path: Path) -> None:
    source = exported(tmp_path, SCENES[:1], kind="coco")
    assert imported(tmp_path, source, kind="coco")[0]["cars-metadata"]["human-annotated"] == "yes"
    assert imported(tmp_path, source, "--machine", kind="coco")[0]["cars-metadata"]["human-annotated"] == "no"


def test_a_folder_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    result = run("export", write(tmp_path / "m", SCENES), tmp_path / "out", kind="yolo")
    assert (result.exit_code, list((tmp_path / "out").iterdir())) == (2, [])
    assert "exists; give the name of a new folder" in result.stderr


def test_a_label_file_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    folder = exported(tmp_path, SCENES[:1], kind="yolo")
    listing = folder / "objects.jsonl"
    listing.write_text(listing.read_text().replace("labels/a/1.txt", "../m"))
    result = run("import", folder, "--output", tmp_path / "back", kind="yolo")
    assert f"{folder}:../m: must be in the folder of the source" in result.stderr


def test_pictures_of_two_buckets_need_a_prefix(tmp_path: Path) -> None:
    rows = [picture("1.jpg", []), {"source-ref": "s3://other/1.jpg"}]
    result = run("export", write(tmp_path / "m", rows), tmp_path / "out", kind="coco")
    assert "m:2: source-ref must begin with s3://scans/ (--prefix), got 's3://other/1.jpg'" in result.stderr
    result = run("export", tmp_path / "m", tmp_path / "out", "--prefix", "s3://", kind="coco")
    assert json.loads((tmp_path / "out").read_text())["images"][0]["file_name"] == "scans/1.jpg"


HUGE = 10**400


@pytest.mark.parametrize(
    "label",
    [
        {"image_size": [{"width": HUGE, "height": 50, "depth": 3}], "annotations": []},
        {"image_size": [{"width": True, "height": 50, "depth": 3}], "annotations": []},
        {"image_size": [{"width": 100, "height": 50, "depth": 3}], "annotations": [{**BOX, "left": HUGE}]},
        {
            "image_size": [{"width": 100, "height": 50, "depth": 3}],
            "annotations": [{**BOX, "class_id": HUGE}],
        },
        {"image_size": [{"width": 100, "height": 50, "depth": 3}], "annotations": [None]},
        {"image_size": [{"width": 100, "height": 50, "depth": 3}], "annotations": None},
        "car",
    ],
)
def test_a_label_of_another_shape_is_one_sentence(tmp_path: Path, label: Any) -> None:
    row = picture("1.jpg", [BOX], {"3": "car"}) | {"cars": label}
    result = run("export", write(tmp_path / "m", [row]), tmp_path / "out", kind="yolo")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 2), result.output
    assert "m:1: cars." in result.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3 1e308 0.5 0.1 0.1", "line 1 must hold shares of the picture"),
        ("3 nan 0.5 0.1 0.1", "line 1 must hold shares of the picture"),
        ("9" * 5000 + " 0.5 0.5 0.1 0.1", "line 1 must be a class"),
        ("3 a 0.5 0.1 0.1", "line 1 must hold numbers"),
    ],
)
def test_numbers_that_yolo_cannot_mean_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    folder = exported(tmp_path, SCENES[:1], kind="yolo")
    (folder / "labels/a/1.txt").write_text(text)
    result = run("import", folder, "--output", tmp_path / "back", kind="yolo")
    assert f"labels/a/1.txt: {reason}" in result.stderr


@pytest.mark.parametrize(
    ("tag", "value"), [("xmin", "inf"), ("xmin", "nan"), ("xmin", ""), ("width", "9" * 5000)]
)
def test_numbers_that_voc_cannot_mean_are_refused(tmp_path: Path, tag: str, value: str) -> None:
    folder = exported(tmp_path, SCENES[:1], kind="voc")
    path = folder / "Annotations/a/1.xml"
    path.write_text(re.sub(f"<{tag}>.*<", f"<{tag}>{value}<", path.read_text()))
    result = run("import", folder, "--output", tmp_path / "back", kind="voc")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 2), result.output


@pytest.mark.parametrize(
    ("names", "is_good"), [("[a, b]", True), ("[a, a]", False), ("5", False), ("", False)]
)
def test_classes_of_data_yaml_are_names(tmp_path: Path, names: str, is_good: bool) -> None:
    folder = exported(tmp_path, SCENES[2:], kind="yolo")
    (folder / "data.yaml").write_text(f"names: {names}\n")
    result = run("import", folder, "--output", tmp_path / "back", kind="yolo")
    assert result.exit_code == (0 if is_good else 2)
    assert is_good or "data.yaml: cannot be read: classes must be different names by id" in result.stderr
