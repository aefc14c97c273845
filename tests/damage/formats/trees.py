"""Trees: JSON files by their values: each of another type, repeated, nested, huge."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image

from tests.damage.blunt import BLUNT, named

Path = tuple[Any, ...]
"""Keys and positions that lead to a value."""
OTHERS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 1.5, -0.0, 1e308, "", " ",
    "a", "0", "-1", "NaN",
    "\ud800", "\0", "../../etc/passwd", "=1+1", "x" * 100_000, "2001-99-99", [], {}, [[]], [None],
    [0] * 9, {"a": 1},
    {"": {}}, [[[[0]]]], "<script>", "\u202e", [1, "a", None], {"size": [6, 5], "counts": [30]},
)  # fmt: skip
LARGEST = 2**26
"""Bytes that a JSON file may have."""


@cache
def sound_runs() -> bytes:
    """Masks as run lengths, as in CheXlocalize."""
    runs = {"size": [6, 5], "counts": [7, 3, 3, 3, 14]}
    return json.dumps({"a": {"nodule": [runs, runs], "cyst": runs}, "b": {"nodule": []}}).encode()


@cache
def sound_packed_runs() -> bytes:
    """Masks as COCO's packed run lengths."""
    return json.dumps({"a": {"nodule": {"size": [6, 5], "counts": "7330;"}}}).encode()


@cache
def sound_coco() -> bytes:
    """Boxes and outlines as COCO lists them."""
    return _coco({"bbox": [1, 1, 3, 3], "iscrowd": 0}, {"segmentation": [[1, 1, 4, 1, 4, 4]]})


@cache
def sound_coco_outlines() -> bytes:
    """Outlines of one and of two parts, and run lengths of a crowd, as COCO lists them."""
    runs = {"size": [6, 5], "counts": [7, 3, 3, 3, 14]}
    return _coco(
        {"segmentation": [[1, 1, 4, 1, 4, 4]]},
        {"segmentation": [[1, 1, 2, 1, 2, 2], [3, 3, 4, 3, 4, 4]], "category_id": 2},
        {"segmentation": runs, "iscrowd": 1, "image_id": 2},
    )


@cache
def sound_polygons() -> bytes:
    """Polygons of CheXlocalize."""
    triangle = [[1, 1], [3, 1], [3.5, 4]]
    return json.dumps({"a": {"img_size": [6, 5], "nodule": [triangle, triangle], "cyst": []}}).encode()


FLAGS = {"cyst": True, "nodule": False}


@cache
def sound_labelme() -> bytes:
    """Shapes of every type of LabelMe; a mask of 2 × 2 pixels."""
    shapes = [
        {"label": "nodule", "shape_type": "polygon", "points": [[1, 1], [3, 1], [3, 4]], "group_id": 1},
        {"label": "nodule", "shape_type": "circle", "points": [[2, 3], [2, 4]], "group_id": None},
        {"label": "cyst", "shape_type": "rectangle", "points": [[1, 1], [3, 4]]},
        {"label": "cyst", "shape_type": "mask", "points": [[1, 1], [2, 2]], "mask": _png()},
    ]
    content = {"shapes": shapes, "imagePath": "a.png", "imageHeight": 6, "imageWidth": 5, "flags": FLAGS}
    return json.dumps(content).encode()


@cache
def sound_supervisely() -> bytes:
    """A bitmap, and a polygon with a hole."""
    bitmap = {"data": _png(zipped=True), "origin": [1, 2]}
    points = {"exterior": [[0, 0], [4, 0], [4, 4]], "interior": [[[2, 1], [3, 1], [3, 2]]]}
    objects = [
        {"classTitle": "nodule", "geometryType": "bitmap", "bitmap": bitmap},
        {"classTitle": "cyst", "geometryType": "polygon", "points": points},
    ]
    tags = [{"name": "cyst", "value": None}, {"name": "side", "value": "left"}]
    return json.dumps({"size": {"height": 6, "width": 5}, "objects": objects, "tags": tags}).encode()


@cache
def sound_export() -> bytes:
    """A rectangle and a polygon of Label Studio."""
    values: list[dict[str, Any]] = [
        {"x": 20, "y": 20, "width": 40, "height": 50, "rotation": 0, "rectanglelabels": ["nodule"]},
        {"points": [[10, 10], [50, 10], [50, 90]], "polygonlabels": ["cyst"]},
        {"choices": ["cyst"]},
        {"text": ["no choice"]},
    ]
    size = {"original_width": 5, "original_height": 6}
    results = [{**size, "value": value} for value in values]
    annotations = [{"completed_by": 3, "result": results}]
    return json.dumps([{"data": {"image": "a.png"}, "annotations": annotations}]).encode()


@cache
def sound_grounded() -> bytes:
    """Two studies of PadChest-GR: boxes of two readers, a finding without box, and a normal one."""
    boxes = {"boxes": [[0.2, 0.2, 0.6, 0.9]], "extra_boxes": [[0.2, 0.1, 0.6, 0.9]]}
    findings = [
        {"sentence_en": "A nodule.", "abnormal": True, "labels": ["nodule"], **boxes},
        {"sentence_en": "A cyst.", "abnormal": True, "labels": ["cyst"], "boxes": []},
        {"sentence_en": "Normal.", "abnormal": False},
    ]
    studies = [
        {"StudyID": "1", "ImageID": "a.png", "findings": findings},
        {"StudyID": "2", "ImageID": "b.png", "findings": []},
    ]
    return json.dumps(studies).encode()


@cache
def sound_via() -> bytes:
    """A project of VIA with every shape, a checkbox and attributes of the file."""
    shapes: list[dict[str, Any]] = [
        {"name": "rect", "x": 1, "y": 1, "width": 2, "height": 3},
        {"name": "circle", "cx": 2, "cy": 2, "r": 1},
        {"name": "ellipse", "cx": 2, "cy": 2, "rx": 1, "ry": 2, "theta": 0.5},
        {"name": "polygon", "all_points_x": [1, 4, 4], "all_points_y": [1, 1, 5]},
    ]
    words: list[Any] = ["nodule", {"nodule": True, "cyst": False}, "cyst", "cyst"]
    regions = [
        {"shape_attributes": shape, "region_attributes": {"label": word}}
        for shape, word in zip(shapes, words, strict=True)
    ]
    image = {
        "filename": "a.png",
        "size": 9,
        "regions": regions,
        "file_attributes": {"class": "cyst", "note": "b"},
    }
    return json.dumps({"_via_settings": {}, "_via_img_metadata": {"a.png9": image}}).encode()


def _png(*, zipped: bool = False) -> str:
    data = BytesIO()
    Image.new("L", (2, 2), 255).save(data, "PNG")
    return base64.b64encode(zlib.compress(data.getvalue()) if zipped else data.getvalue()).decode()


def _coco(*annotations: dict[str, Any]) -> bytes:
    images = [
        {"id": n, "file_name": f"{name}.png", "width": 5, "height": 6} for n, name in ((1, "a"), (2, "b"))
    ]
    kinds = [{"id": 1, "name": "nodule"}, {"id": 2, "name": "cyst"}]
    whole = [{"id": n, "image_id": 1, "category_id": 1, **entry} for n, entry in enumerate(annotations)]
    return json.dumps({"images": images, "annotations": whole, "categories": kinds}).encode()


def field(random: Random, data: bytes) -> bytes:
    """One value, or three, of another type or size, or left out."""
    tree = json.loads(data)
    for _ in range(random.choice((1, 1, 1, 3))):
        if not (places := list(paths(tree))):
            break  # the only value is gone
        *parents, last = random.choice(places)
        place = at(tree, parents)
        if random.random() < 0.15:
            del place[last]
        else:
            place[last] = random.choice(OTHERS)
    return dumped(tree)


def keys(random: Random, data: bytes) -> bytes:
    """A key renamed, added, or twice in the text."""
    tree = json.loads(data)
    mappings = [
        place
        for place in (tree, *(at(tree, path) for path in paths(tree)))
        if isinstance(place, dict) and place
    ]
    place = random.choice(mappings)
    name = random.choice(list(place))
    words = (
        "", " ", name.upper(), name + " ", "\ud800", "\0", "a/b", "../a", "9" * 300, "x" * 70_000, "=1",
        "<b>", "image", "{finding}",
    )  # fmt: skip
    word = random.choice(words)
    if random.random() < 0.3:
        text = json.dumps(tree)
        return text.replace(f'"{name}": ', f'"{name}": null, "{name}": ', 1).encode()
    place[word] = place[name] if random.random() < 0.5 else place.pop(name)
    return dumped(tree)


def numbers(random: Random, data: bytes) -> bytes:
    """A number as text that JSON does not have, or that has no end."""
    words = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e-999", b"01", b"+1", b".5",
        b"1.", b"0x10", b"1_0",
             b"9" * 400, b"9" * 5_000, b"9" * 2_000_000, b"1" + b"0" * 308 + b".0", b"-", b"1e", b"true",
             b"undefined", b"'1'")  # fmt: skip
    digits = [n for n in range(len(data)) if data[n : n + 1].isdigit()]
    place = random.choice(digits or [0])
    return data[:place] + random.choice(words) + data[place + 1 :]


def nested(random: Random, data: bytes) -> bytes:
    """Brackets and braces within each other, closed or not, in place of the file or of a value."""
    depth = random.choice((60, 990, 5_000, 200_000))
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")))
    text = opening * depth + random.choice((b"1", b"")) + closing * random.choice((depth, 0))
    return random.choice((text, data.replace(b"[", b"[" + text + b",", 1), b'{"a": ' + text + b"}"))


def many(random: Random, data: bytes) -> bytes:
    """Millions of values in little text, or many entries."""
    count = random.choice((10_000, 1_000_000))
    return random.choice((
        b"[" + b"0," * count + b"0]",
        b"[" + b"[]," * count + b"0]",
        data.replace(b"[", b"[" + b"0," * count, 1),
        b'{"a": {"nodule": {"size": [6, 5], "counts": [' + b"0, " * count + b"30]}}}",
        b"{" + b"".join(b'"%d":{},' % n for n in range(count // 10)) + b'"a":1}',
    ))  # fmt: skip


def encoding(random: Random, data: bytes) -> bytes:
    """Other encodings, lone surrogates in escapes and bytes, and text before and after."""
    word = random.choice(
        (b'"\\ud800"', b'"\\udcff\\ud800"', b'"\xed\xa0\x80"', b'"\xff"', b'"\\u0000"', b'"\\x41"', b'"\n"')
    )
    changed = data.replace(random.choice((b'"a"', b'"nodule"', b'"size"', b'"Ann"')), word)
    text = changed.decode("latin-1")
    return random.choice((
        changed, text.encode("utf-16"), text.encode("utf-32"), b"\xef\xbb\xbf" + changed, changed + b"\0",
        b"// about\n" + changed, changed + changed, changed[:-1] + b",}", b" " * 100_000 + changed,
    ))  # fmt: skip


def at_the_limit(random: Random, data: bytes) -> bytes:
    """As large as a JSON file may be, a byte less or more; one in eight, because they are large."""
    size = LARGEST + random.choice((-1, 0, 1)) if random.random() < 0.125 else 2**20
    return data + b" " * (size - len(data))


def paths(tree: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every value below `tree`."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield (*path, key)
        yield from paths(value, (*path, key))


def at(tree: Any, path: Path | list[Any]) -> Any:
    """The value at a path; the mapping or list before it, where another value was put in between."""
    for key in path:
        tree = tree[key]
    return tree


def dumped(tree: Any) -> bytes:
    """As JSON in UTF-8, with surrogates as they are."""
    return json.dumps(tree).encode("utf-8", "surrogatepass")


JSON = {**BLUNT, **named(field, keys, numbers, nested, many, encoding, at_the_limit)}
