"""Readers of what people bring: images, masks, labels, predictions, archives."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import cv2
import numpy as np
import tifffile
from mutations import damage_bytes, damage_json, damage_text
from PIL import Image
from reader import SHAPE, Reader, scene


def is_image(image):
    assert image.ndim == 2
    assert image.size
    assert image.dtype.kind in "uif"


def is_inside(labels):
    boxes = labels.boxes
    assert boxes.dtype == np.float32
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert (boxes >= 0).all()
    assert (boxes[:, [2, 0]] <= SHAPE[1]).all()
    assert (boxes[:, [3, 1]] <= SHAPE[0]).all()


def images(folder):
    from irbench.images import read_image

    grey = scene(0)[0]
    stored = {
        "a.png": grey,
        "b.png": grey.astype(np.uint16) * 250,
        "c.png": cv2.merge([grey, grey[::-1], grey, grey]),
        "d.tiff": grey,
        "e.tiff": grey.astype(np.float32) / 255,
        "f.bmp": grey,
        "g.jpg": grey,
    }
    for name, array in stored.items():
        cv2.imwrite(str(folder / name), array)
    plain = [cv2.IMWRITE_TIFF_COMPRESSION, 1]
    cv2.imwrite(str(folder / "h.tiff"), cv2.merge([grey] * 3), plain)
    tifffile.imwrite(folder / "i.tiff", np.stack([grey] * 3), photometric="rgb")
    tifffile.imwrite(folder / "j.tiff", grey.astype(np.int16), tile=(16, 16), compression="lzw")
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(grey).save(folder / "k.jpg", exif=exif, progressive=True)
    paths = sorted(folder.iterdir())
    return Reader([(path, lambda path: is_image(read_image(path))) for path in paths])


def masks(folder):
    from irbench.images.masks import mask_regions, read_mask

    def read(path):
        mask = read_mask(path)
        assert mask.pixels.dtype == bool
        mask_regions(mask.pixels)

    for name in ("a.png", "b.bmp", "c.tiff"):
        cv2.imwrite(str(folder / name), scene(0)[1])
    indexed = Image.fromarray(scene(0)[1] // 255)
    indexed.putpalette([0, 0, 0, 128, 0, 0])
    for name in ("d.png", "e.bmp", "f.tif"):
        indexed.save(folder / name)
    indexed.convert("RGBA").save(folder / "g.png")
    return Reader([(path, read) for path in sorted(folder.iterdir())])


def yolo(folder):
    from irbench.data.annotations import read_yolo

    (folder / "a.txt").write_text("0 0.4 0.3 0.1 0.1\n0 0.65 0.7 0.0625 0.125\n")
    (folder / "b.txt").write_text("0 0.4 0.3 0.1 0.1 0.9\n1 0.65 0.7 0.0625 0.125 0.5\n")
    reads = (
        lambda path: is_inside(read_yolo(path, SHAPE)),
        lambda path: is_inside(read_yolo(path, SHAPE, overhang=True)),
    )
    return Reader([(p, r) for p in sorted(folder.iterdir()) for r in reads], damage_text)


def voc(folder):
    from irbench.data.annotations import read_voc

    path = folder / "a.xml"
    objects = "".join(
        f"<object><name>target</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax>"
        f"<ymax>{y1}</ymax></bndbox></object>"
        for x0, y0, x1, y1 in ((10, 6, 13, 8), (21, 16, 22, 18))
    )
    size = f"<size><width>{SHAPE[1]}</width><height>{SHAPE[0]}</height><depth>1</depth></size>"
    path.write_text(f"<annotation><filename>a.png</filename>{size}{objects}</annotation>")
    reads = (lambda path: is_inside(read_voc(path, SHAPE)), read_voc)
    return Reader([(path, read) for read in reads], damage_text)


def coco(folder):
    from irbench.data.annotations import read_coco
    from irbench.data.annotations._coco_fields import read_json
    from irbench.data.annotations.coco import parse_coco_results

    boxes = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [9, 5, 4, 3], "score": 0.5}]
    boxes += [{"id": 2, "image_id": "2", "category_id": 1, "bbox": [20.5, 15, 2, 3], "score": 1}]
    sizes = {"height": SHAPE[0], "width": SHAPE[1]}
    whole = {
        "images": [{"id": n, "file_name": f"{n}.png", **sizes} for n in (1, "2")],
        "annotations": boxes,
        "categories": [{"id": 1, "name": "target"}],
    }
    (folder / "a.json").write_text(json.dumps(whole))
    (folder / "b.json").write_text(json.dumps(boxes))

    def read(path):
        for labels in read_coco(path).labels.values():
            assert np.isfinite(labels.boxes).all()

    def read_results(path):
        for labels in parse_coco_results(read_json(path), {1: SHAPE, "2": SHAPE}, path).values():
            is_inside(labels)

    return Reader([(folder / "a.json", read), (folder / "b.json", read_results)], damage_json)


def own_images(folder):
    """A dataset of two scenes."""
    from irbench.plugins.registry import load_dataset

    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for name in ("1", "2"):
        image, mask = scene(int(name))
        cv2.imwrite(str(folder / "images" / f"{name}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)
    return load_dataset(str(folder))


def predictions(folder):
    from irbench.data.predictions import read_predictions

    dataset = own_images(folder / "data")
    contents = {}
    for name in ("1", "2"):
        mask = scene(int(name))[1]
        array = io.BytesIO()
        np.save(array, (mask / 300).astype(np.float32))
        contents["masks", f"{name}.png"] = cv2.imencode(".png", mask)[1].tobytes()
        contents["arrays", f"{name}.npy"] = array.getvalue()
        contents["yolo", f"{name}.txt"] = b"0 0.4 0.3 0.1 0.1 0.9\n"
    contents["coco", "found.json"] = json.dumps(
        [{"image_id": 1, "category_id": 1, "bbox": [9, 5, 4, 3], "score": 0.5}]
    ).encode()

    def read(path):
        found = read_predictions(path.parent, dataset, allow_extra=True)
        assert found.detections.keys() == {"1", "2"}

    files = []
    for (kind, name), content in contents.items():
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / name).write_bytes(content)
        if not name.startswith("2"):
            files.append((folder / kind / name, read))

    def damage(content, chance):
        by_first = {b"[": damage_json, b"0": damage_text}
        return by_first.get(content[:1], damage_bytes)(content, chance)

    return Reader(files, damage)


def split_lists(folder):
    from irbench.plugins.registry import load_dataset

    own_images(folder)

    def read(path):
        dataset = load_dataset(str(folder), split="test")
        for sample in dataset:
            assert sample.id in ("1", "2")

    (folder / "test.txt").write_text("1\nimages/2.png\n")
    return Reader([(folder / "test.txt", read)], damage_text)


def archives(folder):
    from irbench.data.importing import import_data
    from irbench.data.unpacking import Limits

    contents = {"data/images/a.png": b"picture" * 40, "data/masks/a.png": b"\0" * 900}
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    for ending, mode in (("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz")):
        with tarfile.open(folder / f"a.{ending}", mode) as archive:
            for name, content in contents.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    paths = sorted(folder.iterdir())
    root = folder / "root"
    limits = Limits(max_bytes=2**20, max_files=100, reserve_bytes=0)

    def has_images(folder):
        return (folder / "images").is_dir()

    def read(path):
        try:
            import_data(path, "new", root, has_images, overwrite=True, limits=limits)
        finally:
            around = {one.name for one in folder.iterdir()}
            assert around <= {"root", *(one.name for one in paths)}, around
            for one in root.rglob("*"):
                assert not one.is_symlink()
                assert root.resolve() in one.resolve().parents

    return Reader([(path, read) for path in paths])


def recipes(folder):
    from irbench.cli.train_options import read_settings

    path = folder / "recipe.toml"
    path.write_text("epochs = 5\nbatch = 8\nmomentum = 0.5\n[augmentation]\nscale = 1.0\n")
    return Reader([(path, lambda path: read_settings(path, {}))], damage_text)
