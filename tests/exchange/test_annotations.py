"""Annotations of other tools: hand-made files give the masks that they say, and masks go round through every format unchanged."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pasi_vision.anatomy import Region
from pasi_vision.cli import app
from pasi_vision.errors import InputError, PasiVisionError
from pasi_vision.exchange.annotations import (
    AnnotatedImage,
    Mark,
    Polygon,
    kinds_of,
    marks_of_masks,
    masks_of,
    runs_of,
    targets,
)
from pasi_vision.exchange.coco import read_coco, write_coco
from pasi_vision.exchange.cvat import read_cvat, write_cvat
from pasi_vision.exchange.label_studio import read_label_studio, write_label_studio
from pasi_vision.exchange.matching import matched

runner = CliRunner()
ROUND = {
    "coco": (write_coco, read_coco),
    "cvat": (write_cvat, read_cvat),
    "label_studio": (write_label_studio, read_label_studio),
}


def blobs(seed, shape=(37, 53)):
    rng = np.random.default_rng(seed)
    return rng.random(shape) > 0.6


@pytest.mark.parametrize("name", ROUND)
def test_masks_go_round_unchanged(tmp_path, name):
    write, read = ROUND[name]
    rng = np.random.default_rng(7)
    originals, images = [], []
    for number in range(3):
        masks = {
            "regions": rng.integers(0, 6, (37, 53)).astype(np.uint8),
            "lesion": blobs(number).astype(np.uint8) * 255,
            "outline": np.zeros((37, 53), np.uint8),
            "signs": (rng.integers(0, 5, (37, 53, 3)) * 60).astype(np.uint8),
        }
        masks["outline"][5:9, 0:53] = 255
        originals.append(masks)
        images.append(AnnotatedImage(f"photos/P{number}.jpg", 53, 37, marks_of_masks(masks), ""))
    write(tmp_path / "file", images)
    again = read(tmp_path / "file")
    assert [image.name for image in again] == [image.name for image in images]
    kinds = kinds_of(again, {})
    assert kinds == ("regions", "lesion", "outline", "signs")
    for masks, image in zip(originals, again, strict=True):
        back = masks_of(image, kinds, {}, (37, 53))
        for kind, mask in masks.items():
            np.testing.assert_array_equal(back[kind], mask, err_msg=kind)


@pytest.mark.parametrize("name", ROUND)
def test_polygons_go_round_unchanged(tmp_path, name):
    write, read = ROUND[name]
    ring = np.array([[3.0, 4.0], [20.0, 4.0], [20.0, 11.0], [3.0, 11.0]])
    write(tmp_path / "file", [AnnotatedImage("a.jpg", 40, 30, (Mark("outline", Polygon((ring,)), ""),), "")])
    image = read(tmp_path / "file")[0]
    np.testing.assert_allclose(image.marks[0].shape.rings[0], ring, atol=1e-9)
    mask = masks_of(image, ("outline",), {}, (30, 40))["outline"]
    expected = np.zeros((30, 40), np.uint8)
    expected[4:11, 3:20] = 255  # the 17 x 7 pixels whose middles lie inside
    np.testing.assert_array_equal(mask, expected)


def test_the_area_of_a_polygon_is_right():
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([100 + 60.3 * np.cos(angle), 90 + 60.3 * np.sin(angle)], axis=1)
    assert Polygon((circle,)).raster((200, 220)).sum() == pytest.approx(np.pi * 60.3**2, rel=2e-3)


def test_runs():
    assert runs_of(np.array([0, 0, 1, 1, 1, 0], bool)).tolist() == [2, 3, 1]
    assert runs_of(np.array([1, 0], bool)).tolist() == [0, 1, 1]
    assert runs_of(np.zeros(4, bool)).tolist() == [4]


COCO = {
    "images": [{"id": 5, "file_name": "P1.jpg", "width": 4, "height": 3}],
    "categories": [{"id": 1, "name": "Plaque"}, {"id": 2, "name": "Back"}],
    "annotations": [
        {"id": 1, "image_id": 5, "category_id": 2, "segmentation": {"size": [3, 4], "counts": [0, 12]}},
        # Column by column: 4 background, 2 plaque, 6 background -> rows 1 and 2 of column 1.
        {"id": 2, "image_id": 5, "category_id": 1, "segmentation": {"size": [3, 4], "counts": [4, 2, 6]}},
    ],
}


def written(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_coco_runs_go_down_the_columns(tmp_path):
    image = read_coco(written(tmp_path / "coco.json", COCO))[0]
    mapping = {"Plaque": "lesion", "Back": "trunk"}
    masks = masks_of(image, kinds_of([image], mapping), mapping, (3, 4))
    np.testing.assert_array_equal(masks["lesion"] > 0, [[0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]])
    assert (masks["regions"] == Region.TRUNK.code).all()


@pytest.mark.parametrize(
    ("counts", "runs"),
    [
        ("426", [4, 2, 6]),  # one character each for small numbers: 48 + n
        # From the fourth run on, the difference to the run two before: 3 - 5 = -2, in five bits 30, 48 + 30 = "N".
        ("252N", [2, 5, 2, 3]),
    ],
)
def test_coco_compressed_runs(tmp_path, counts, runs):
    content = json.loads(json.dumps(COCO))
    content["annotations"][1]["segmentation"]["counts"] = counts
    image = read_coco(written(tmp_path / "coco.json", content))[0]
    assert image.marks[1].shape.runs.tolist() == runs


def test_coco_compressed_runs_of_more_than_five_bits(tmp_path):
    content = json.loads(json.dumps(COCO))
    content["images"][0].update(width=20, height=10)
    content["annotations"] = [content["annotations"][1]]
    # 100 = 3 x 32 + 4: "4 and more to come" (48 + 32 + 4 = "T"), then "3"
    content["annotations"][0]["segmentation"] = {"size": [10, 20], "counts": "T3T3"}
    image = read_coco(written(tmp_path / "coco.json", content))[0]
    assert image.marks[0].shape.runs.tolist() == [100, 100]


def test_cvat_as_the_tool_writes_it(tmp_path):
    text = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><name>x</name></task></meta>
<image id="0" name="visit1/P1.jpg" width="6" height="4">
  <polygon label="outline" source="manual" occluded="0" points="0.00,0.00;3.00,0.00;3.00,2.00;0.00,2.00" z_order="0"></polygon>
  <mask label="lesion" source="manual" occluded="0" rle="1, 2, 1, 2" left="2" top="1" width="3" height="2" z_order="1"></mask>
</image></annotations>"""
    image = read_cvat(written(tmp_path / "a.xml", text))[0]
    masks = masks_of(image, ("lesion", "outline"), {}, (4, 6))
    np.testing.assert_array_equal(
        masks["lesion"] > 0, [[0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]]
    )
    assert (masks["outline"] > 0).sum() == 6


def test_regions_in_front_count(tmp_path):
    text = """<annotations><image name="P1.jpg" width="4" height="2">
<polygon label="trunk" points="0,0;4,0;4,2;0,2" z_order="5"/><polygon label="upper_limbs" points="0,0;2,0;2,2;0,2" z_order="9"/>
</image></annotations>"""
    image = read_cvat(written(tmp_path / "a.xml", text))[0]
    np.testing.assert_array_equal(masks_of(image, ("regions",), {}, (2, 4))["regions"], [[2, 2, 3, 3]] * 2)


def task(**more):
    result = {
        "type": "polygonlabels", "original_width": 200, "original_height": 100, "image_rotation": 0,
        "value": {"points": [[10, 20], [60, 20], [60, 70], [10, 70]], "polygonlabels": ["Plaque"]},
    }  # fmt: skip
    return {
        "id": 1,
        "data": {"image": "/data/upload/1/0a1b2c3d-P1.jpg"},
        "annotations": [{"completed_by": 3, "result": [result]}],
        **more,
    }


def test_label_studio_percent(tmp_path):
    image = read_label_studio(written(tmp_path / "ls.json", [task()]))[0]
    mask = masks_of(image, ("outline",), {"Plaque": "outline"}, (100, 200))["outline"]
    expected = np.zeros((100, 200), np.uint8)
    expected[20:70, 20:120] = 255  # 10-60 % of 200 px by 20-70 % of 100 px
    np.testing.assert_array_equal(mask, expected)


def test_label_studio_raters_are_not_merged(tmp_path):
    one = task()
    second = json.loads(json.dumps(one["annotations"][0])) | {"completed_by": {"id": 4, "email": "b@clinic"}}
    second["result"][0]["value"]["polygonlabels"] = ["Other"]
    file = written(tmp_path / "ls.json", [task(annotations=[*one["annotations"], second])])
    with pytest.raises(InputError, match="annotated 2 times, by 3, b@clinic"):
        read_label_studio(file)
    assert read_label_studio(file, "b@clinic")[0].marks[0].label == "Other"
    assert read_label_studio(file, "nobody") == []


def test_label_studio_brush_literals(tmp_path):
    """A stream with literal bytes, packed by hand: 2 pixels, the second painted."""
    bits = f"{8:032b}" + f"{7:05b}" + "".join(f"{n - 1:04b}" for n in (3, 4, 5, 6))
    bits += "0" + "01" + f"{7:04b}" + "".join(f"{v:08b}" for v in (0, 0, 0, 0, 9, 9, 9, 255))
    bits += "0" * (-len(bits) % 8)
    packed = list(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    brush = {
        "type": "brushlabels", "original_width": 2, "original_height": 1,
        "value": {"format": "rle", "rle": packed, "brushlabels": ["lesion"]},
    }  # fmt: skip
    image = read_label_studio(written(tmp_path / "ls.json", [task(annotations=[{"result": [brush]}])]))[0]
    assert masks_of(image, ("lesion",), {}, (1, 2))["lesion"].tolist() == [[0, 255]]


def test_names_are_matched_as_tools_change_them():
    paths = ["a/P1.jpg", "a/P2.jpg", "b/P2.jpg", "P10.jpg"]
    for name in (
        "a/P1.jpg",
        "P1.jpg",
        "P1.png",
        "C:\\x\\P1.jpg",
        "/data/upload/1/0a1b2c3d-P1.jpg",
        "/data/local-files/?d=a/P1.jpg",
        "http://x/P1.jpg?k=1",
    ):
        assert matched(name, paths, "") == 0
    assert matched("P10", paths, "") == 3
    assert matched("b/P2.jpg", paths, "") == 2
    with pytest.raises(InputError, match="may be"):
        matched("P2.jpg", paths, "x")
    with pytest.raises(InputError, match=r"not in photos\.csv"):
        matched("P3.jpg", paths, "x")


def broken(change):
    content = json.loads(json.dumps(COCO))
    change(content)
    return content


WRONG = {
    "not json": "{",
    "a list": [],
    "no images": broken(lambda c: c.pop("images")),
    "huge image": broken(lambda c: c["images"][0].update(width=10**7, height=10**7)),
    "size in words": broken(lambda c: c["images"][0].update(width="wide")),
    "twice": broken(lambda c: c["images"].append(c["images"][0])),
    "image unknown": broken(lambda c: c["annotations"][0].update(image_id=77)),
    "category unknown": broken(lambda c: c["annotations"][0].update(category_id=77)),
    "box only": broken(lambda c: c["annotations"][0].update(segmentation=[])),
    "runs too long": broken(lambda c: c["annotations"][0]["segmentation"].update(counts=[0, 13])),
    "runs negative": broken(lambda c: c["annotations"][0]["segmentation"].update(counts=[-1, 13])),
    "runs of text": broken(lambda c: c["annotations"][0]["segmentation"].update(counts=["x"])),
    "mask of another size": broken(lambda c: c["annotations"][0]["segmentation"].update(size=[4, 3])),
    "damaged string": broken(lambda c: c["annotations"][0]["segmentation"].update(counts="~~~")),
    "two points": broken(lambda c: c["annotations"][0].update(segmentation=[[1, 1, 2, 2]])),
    "odd count": broken(lambda c: c["annotations"][0].update(segmentation=[[1, 1, 2, 2, 3, 3, 4]])),
    "not a number": broken(lambda c: c["annotations"][0].update(segmentation=[[1, 1, 2, 2, 3, "x"]])),
    "infinite": broken(lambda c: c["annotations"][0].update(segmentation=[[1, 1, 2, 2, 3, float("inf")]])),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_coco_says_where_and_what_to_do(tmp_path, case):
    with pytest.raises(InputError) as caught:
        read_coco(written(tmp_path / "coco.json", WRONG[case]))
    assert str(tmp_path / "coco.json") in caught.value.where
    assert caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "<other/>",
        '<!DOCTYPE a [<!ENTITY b "c">]><annotations/>',
        '<annotations><image name="a" width="4" height="x"/></annotations>',
        '<annotations><image width="4" height="4"/></annotations>',
        '<annotations><image name="a" width="4" height="4"><box label="l" xtl="1"/></image></annotations>',
        '<annotations><image name="a" width="4" height="4"><polygon label="l" points="1,1;2"/></image></annotations>',
        '<annotations><image name="a" width="4" height="4"><polygon points="1,1;2,2;3,1"/></image></annotations>',
        '<annotations><image name="a" width="4" height="4">'
        '<mask label="l" rle="2" left="3" top="0" width="2" height="1"/></image></annotations>',
    ],
)
def test_wrong_cvat(tmp_path, text):
    with pytest.raises(InputError) as caught:
        read_cvat(written(tmp_path / "a.xml", text))
    assert caught.value.fix


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(type="rectanglelabels"),
        lambda r: r.update(image_rotation=90),
        lambda r: r.update(original_width=None),
        lambda r: r["value"].update(points=[[1, 2]]),
        lambda r: r["value"].update(points=[1, 2, 3]),
        lambda r: r.update(type="brushlabels", value={"rle": [1, 2, 300], "brushlabels": ["x"]}),
        lambda r: r.update(type="brushlabels", value={"rle": [0, 0], "brushlabels": ["x"]}),
        lambda r: r.pop("value"),
    ],
)
def test_wrong_label_studio(tmp_path, change):
    content = [task()]
    change(content[0]["annotations"][0]["result"][0])
    with pytest.raises(InputError) as caught:
        read_label_studio(written(tmp_path / "ls.json", content))
    assert caught.value.fix


# ---- the command


@pytest.fixture
def folder(tmp_path):
    """A data folder with one photograph of 4 x 3 px and one that is stored turned."""
    Image.new("RGB", (4, 3), (180, 120, 100)).save(tmp_path / "P1.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (4, 3)).save(tmp_path / "turned.png", exif=exif)
    rows = ["subject_id,visit,day,view,path", "S1,baseline,1,trunk_back,P1.png", "S1,baseline,1,close_up,turned.png"]
    written(tmp_path / "photos.csv", "\n".join(rows) + "\n")
    return tmp_path


def run(*arguments):
    return runner.invoke(app, ["data", *map(str, arguments)])


def test_import_writes_the_masks_of_the_contract(folder):
    file = written(folder / "coco.json", COCO)
    result = run("import", file, "--into", folder, "--format", "coco", "--map", "Plaque=lesion", "--map", "Back=trunk")
    assert result.exit_code == 0, result.output
    with Image.open(folder / "masks" / "P1.lesion.png") as mask:
        assert np.asarray(mask).tolist() == [[0, 0, 0, 0], [0, 255, 0, 0], [0, 255, 0, 0]]
    with Image.open(folder / "masks" / "P1.regions.png") as mask:
        assert (np.asarray(mask) == 3).all()
    assert sorted(path.name for path in (folder / "masks").iterdir()) == ["P1.lesion.png", "P1.regions.png"]
    again = run("import", file, "--into", folder, "--format", "coco", "--map", "Plaque=lesion", "--map", "Back=trunk")
    assert isinstance(again.exception, InputError)
    assert "--replace" in again.exception.fix


def test_export_and_import_again(folder):
    run(
        "import",
        written(folder / "coco.json", COCO),
        "--into",
        folder,
        "--format",
        "coco",
        "--map",
        "Plaque=lesion",
        "--map",
        "Back=trunk",
    )
    before = {path.name: path.read_bytes() for path in (folder / "masks").iterdir()}
    for kind in ("coco", "cvat", "label-studio"):
        assert run("export", folder, "--out", folder / "out", "--format", kind).exit_code == 0
        assert run("import", folder / "out", "--into", folder, "--format", kind, "--replace").exit_code == 0
        assert {path.name: path.read_bytes() for path in (folder / "masks").iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--map", "Plaque=lesion"], "label 'Back' has no meaning"),
        (["--map", "Plaque=lesions", "--map", "Back=trunk"], "Is 'lesion' meant?"),
        (["--map", "Plaque"], "not LABEL=MEANING"),
    ],
)
def test_import_refuses_labels_without_meaning(folder, arguments, said):
    result = run("import", written(folder / "coco.json", COCO), "--into", folder, "--format", "coco", *arguments)
    assert isinstance(result.exception, PasiVisionError)
    assert said in str(result.exception)
    assert not (folder / "masks").exists()


def test_annotations_of_the_picture_as_it_is_stored_are_refused(folder):
    content = broken(lambda c: c["images"][0].update(file_name="turned.png"))
    result = run(
        "import",
        written(folder / "c.json", content),
        "--into",
        folder,
        "--format",
        "coco",
        "--map",
        "Plaque=lesion",
        "--map",
        "Back=trunk",
    )
    assert "turned by 90 degrees" in str(result.exception)
    assert not (folder / "masks").exists()


def test_an_image_without_marks_is_not_clear_skin_unless_said(folder):
    content = broken(lambda c: c["images"].append({"id": 6, "file_name": "turned.png", "width": 3, "height": 4}))
    common = ("--into", folder, "--format", "coco", "--map", "Plaque=lesion", "--map", "Back=trunk")
    result = run("import", written(folder / "c.json", content), *common)
    assert result.exit_code == 0
    assert "1 images without any mark were left out" in result.stderr
    assert not (folder / "masks" / "turned.lesion.png").exists()
    assert run("import", folder / "c.json", *common, "--replace", "--empty-is-clear").exit_code == 0
    with Image.open(folder / "masks" / "turned.lesion.png") as mask:
        assert mask.size == (3, 4)
        assert not np.asarray(mask).any()


def test_plain_masks(folder):
    (folder / "drawn").mkdir()
    mask = np.zeros((3, 4), np.uint8)
    mask[1, 2] = 1
    Image.fromarray(mask).save(folder / "drawn" / "P1_mask.png")
    result = run("import", folder / "drawn", "--into", folder, "--format", "masks", "--label", "outline")
    assert result.exit_code == 0, result.exception
    with Image.open(folder / "masks" / "P1.outline.png") as written_mask:
        np.testing.assert_array_equal(np.asarray(written_mask), mask * 255)
    mask[0, 0] = 9
    Image.fromarray(mask).save(folder / "drawn" / "P1_mask.png")
    result = run("import", folder / "drawn", "--into", folder, "--format", "masks", "--replace")
    assert "holds 3 colours" in str(result.exception)


def test_every_meaning_can_be_written_and_read():
    assert {"lesion", "outline", "trunk", "other_skin", "scaling:4", "ignore"} <= set(targets())
    with pytest.raises(InputError, match="parts of grades"):
        marks_of_masks({"signs": np.full((2, 2, 3), 45, np.uint8)})
