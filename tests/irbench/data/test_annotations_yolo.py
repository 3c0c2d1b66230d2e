from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irbench.data.annotations import read_yolo, write_yolo
from irbench.errors import AnnotationError
from irbench.images.masks import mask_regions, read_mask

SIDE = st.integers(1, 700)


@st.composite
def labelled_images(draw):
    height, width = draw(SIDE), draw(SIDE)
    boxes = []
    for _ in range(draw(st.integers(0, 6))):
        x0 = draw(st.floats(0, width - 0.5, width=32))
        y0 = draw(st.floats(0, height - 0.5, width=32))
        x1 = draw(st.floats(x0 + 0.25, width))
        y1 = draw(st.floats(y0 + 0.25, height))
        boxes.append((x0, y0, x1, y1))
    return (height, width), np.array(boxes, dtype=np.float32).reshape(-1, 4)


@settings(deadline=None, max_examples=50)
@given(labelled_images())
def test_boxes_survive_text_to_a_ten_thousandth_of_a_pixel(tmp_path_factory, labelled):
    shape, boxes = labelled
    path = tmp_path_factory.mktemp("yolo") / "a.txt"
    write_yolo(path, boxes, shape)
    read = read_yolo(path, shape)
    np.testing.assert_allclose(read.boxes, boxes, rtol=0, atol=1e-4)
    assert read.scores is None
    assert read.boxes.dtype == np.float32
    assert (read.boxes >= 0).all()
    assert (read.boxes[:, 2:] <= [shape[1], shape[0]]).all()


@settings(deadline=None, max_examples=50)
@given(labelled_images(), st.randoms(use_true_random=False))
def test_whole_pixels_and_scores_survive_exactly(tmp_path_factory, labelled, random):
    (height, width), boxes = labelled
    boxes = np.hstack([np.floor(boxes[:, :2]), np.floor(boxes[:, :2]) + 1])
    scores = np.array([random.uniform(-3, 3) for _ in boxes], dtype=np.float32)
    path = tmp_path_factory.mktemp("yolo") / "a.txt"
    write_yolo(path, boxes, (height, width), scores=scores, classes=[7] * len(boxes))
    read = read_yolo(path, (height, width))
    np.testing.assert_array_equal(read.boxes, boxes)
    if len(boxes):
        np.testing.assert_array_equal(read.scores, scores)
    assert read.classes == ("7",) * len(boxes)


@pytest.mark.parametrize("form", ["{:.6f}", "{:.5f}", "{:g}", "{:.8f}", "{}"])
@pytest.mark.parametrize("width", [640, 1241])
def test_whole_pixels_survive_the_digits_of_other_tools(tmp_path, form, width):
    x0 = np.arange(0, width - 3, 7)
    fractions = np.stack([(x0 + 1.5) / width, (x0 + 1.5) / width, x0 * 0 + 3 / width] * 2, axis=1)
    path = tmp_path / "a.txt"
    # Squares of 3 px on the diagonal of a square image.
    lines = [" ".join(["0", *(form.format(v) for v in row[[0, 1, 2, 5]])]) for row in fractions]
    path.write_text("\n".join(lines))
    expected = np.stack([x0, x0, x0 + 3, x0 + 3], axis=1)
    np.testing.assert_array_equal(read_yolo(path, (width, width)).boxes, expected)


def test_fractions_of_pixels_and_coarse_text_are_left_as_they_stand(tmp_path):
    path = tmp_path / "a.txt"
    # The text says 10.004, to a thousandth of a pixel; and two digits do not say which pixel.
    path.write_text("0 0.100040 0.500000 0.100000 0.200000\n0 0.13 0.50 0.02 0.20\n")
    read = read_yolo(path, (640, 100)).boxes
    np.testing.assert_allclose(read[0], [5.004, 256, 15.004, 384], atol=1e-5)
    read = read_yolo(path, (640, 641)).boxes
    np.testing.assert_allclose(read[1], [76.92, 256, 89.74, 384], atol=1e-4)
    # Numbers at the end of what a float holds are no reason to stop.
    path.write_text(f"0 0.5 5e-1 0.2 0.2\n0 0.5 0e999 1e-1 1e-{'9' * 30}1\n")
    with pytest.raises(AnnotationError, match="line 2: expected a box of positive width"):
        read_yolo(path, (100, 100))


@pytest.mark.parametrize(("width", "height"), [(640, 512), (384, 288), (256, 256), (800, 600)])
@pytest.mark.parametrize("side", [1, 3, 8])
def test_whole_pixels_survive_four_digits(tmp_path, width, height, side):
    """As PyLabel writes them: edges are up to 0.06 px aside, and all four of a box are."""
    rng = np.random.default_rng(side)
    x0, y0 = rng.integers(0, width - side, 300), rng.integers(0, height - side, 300)
    path = tmp_path / "a.txt"
    path.write_text(
        "".join(
            f"0 {(x + side / 2) / width:.4f} {(y + side / 2) / height:.4f} "
            f"{side / width:.4f} {side / height:.4f}\n"
            for x, y in zip(x0, y0, strict=True)
        )
    )
    expected = np.stack([x0, y0, x0 + side, y0 + side], axis=1)
    np.testing.assert_array_equal(read_yolo(path, (height, width)).boxes, expected)


def test_four_digits_of_a_box_with_one_edge_between_pixels_are_left(tmp_path):
    path = tmp_path / "a.txt"
    # Columns 100.5 to 104, rows 50 to 53 of 640x640: the edges that look whole stay as they stand.
    path.write_text("0 0.1598 0.0805 0.0055 0.0047\n")
    read = read_yolo(path, (640, 640)).boxes
    np.testing.assert_allclose(read, [[100.512, 50.016, 104.032, 53.024]], atol=1e-4)


def test_a_box_of_a_fraction_of_a_pixel_is_not_made_empty(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("0 0.1000 0.5000 0.0001 0.2000 0.9\n")
    read = read_yolo(path, (100, 100), overhang=True).boxes
    np.testing.assert_allclose(read, [[9.995, 40, 10.005, 60]], atol=1e-5)


def test_reads_what_the_format_says(tmp_path):
    path = tmp_path / "a.txt"
    # Columns 3 to 5 of 10, rows 4 and 5 of 20; a byte order mark; a class as savetxt writes it.
    path.write_text("\ufeff0.0 0.45 0.25 0.3 0.1\n\n  1\t0.5 0.5 1 1 \r\n", encoding="utf-8")
    read = read_yolo(path, (20, 10))
    np.testing.assert_allclose(read.boxes, [[3, 4, 6, 6], [0, 0, 10, 20]], atol=1e-6)
    assert read.classes == ("0", "1")


def test_an_empty_file_is_an_image_without_targets(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\n")
    assert read_yolo(path, (4, 4)).boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("text", "expected", "got"),
    [
        ("0 0.5 0.5 0.2", "line 1: expected 'class cx cy w h'", "0.5 0.2"),
        ("0 0.1 0.1 0.2 0.1 0.2 0.3", "line 1: expected 'class cx cy w h'", "0.3"),
        ("0 .5 .5 .1 .1\ncat 0.5 0.5 0.2 0.2", "line 2, class: expected a number", "'cat'"),
        ("1.5 0.5 0.5 0.2 0.2", "line 1, class: expected the number of a class", "'1.5'"),
        ("-1 0.5 0.5 0.2 0.2", "line 1, class: expected the number of a class", "'-1'"),
        ("nan 0.5 0.5 0.2 0.2", "line 1, class: expected a finite number", "nan"),
        ("0 nan 0.5 0.2 0.2", "line 1, cx: expected a finite number", "nan"),
        ("0 0.5 -inf 0.2 0.2", "line 1, cy: expected a finite number", "-inf"),
        ("0 0.5 1e999 0.2 0.2", "line 1, cy: expected a finite number", "inf"),
        ("0 0.5 0.5 x 0.2", "line 1, w: expected a number", "'x'"),
        ("0 0_1 0.5 0.1 0.2", "line 1, cx: expected a number", "'0_1'"),
        ("0 ١ 0.5 0.1 0.2", "line 1, cx: expected a number", "'١'"),
        ("0 0.5 0.5 -0.2 0.2", "line 1, w: expected a fraction", "'-0.2'"),
        ("0 0.5 0.5 0.2 0", "line 1: expected a box of positive width and height", "0.0"),
        ("0 0.5 0.5 0.2 1e-30", "line 1: expected a box of positive width and height", "0.0"),
        ("0 5 5 3 3", "line 1, cx: expected a fraction of the image", "'5'"),
        ("0 0.99 0.5 0.2 0.2", "line 1: expected a box inside the 100x100 image", "109"),
        ("0 .5 .5 .1 .1 nan", "line 1, confidence: expected a finite number", "nan"),
        ("0 .5 .5 .1 .1 1e60", "line 1, confidence: expected a number within single", "1e+60"),
        ("0 .5 .5 .1 .1 .9\n0 .5 .5 .1 .1", "line 2: expected a confidence on every", ".5"),
        ("0 .5 .5 .1 .1\n0 .5 .5 .1 .1 .9", "line 2: expected a confidence on every", ".9"),
    ],
)
def test_refuses_what_is_malformed(tmp_path, text, expected, got):
    path = tmp_path / "bad.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AnnotationError) as caught:
        read_yolo(path, (100, 100))
    message = str(caught.value)
    assert message.startswith(f"{path}, {expected}")
    assert got in message.split(", got ")[-1]


def test_refuses_files_that_cannot_be_read(tmp_path):
    with pytest.raises(AnnotationError, match=r"cannot read the labels .*none\.txt"):
        read_yolo(tmp_path / "none.txt", (10, 10))
    (tmp_path / "binary.txt").write_bytes(b"0 0.5 \xff")
    with pytest.raises(AnnotationError, match="byte 6: expected UTF-8"):
        read_yolo(tmp_path / "binary.txt", (10, 10))


def test_half_a_pixel_of_overhang_is_rounding(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("0 0.05 0.5 0.108 0.1")  # x0 = -0.4
    np.testing.assert_allclose(read_yolo(path, (100, 100)).boxes, [[0, 45, 10.4, 55]], atol=1e-5)
    path.write_text("0 0.05 0.5 0.112 0.1")  # x0 = -0.6
    with pytest.raises(AnnotationError, match="inside the 100x100 image"):
        read_yolo(path, (100, 100))
    kept = read_yolo(path, (100, 100), overhang=True).boxes
    np.testing.assert_allclose(kept, [[0, 45, 10.6, 55]], atol=1e-5)


def test_a_sliver_outside_is_no_box(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("0 1.000009 0.5 0.000001 0.1")
    for overhang in (False, True):
        with pytest.raises(AnnotationError, match=r"box (inside|that meets) the 100x100 image"):
            read_yolo(path, (100, 100), overhang=overhang)


@pytest.mark.parametrize("box", [[0, 0, 0, 1], [2, 2, 1, 3], [0, 0, np.nan, 1], [0, 0, np.inf, 1]])
def test_refuses_to_write_what_it_would_not_read(tmp_path, box):
    with pytest.raises(AnnotationError, match=r"box 1: expected finite x0 < x1"):
        write_yolo(tmp_path / "a.txt", [[0, 0, 1, 1], box], (5, 5))
    with pytest.raises(AnnotationError, match=r"shape \(N, 4\), got \(1, 3\)"):
        write_yolo(tmp_path / "a.txt", [[0, 0, 1]], (5, 5))
    with pytest.raises(AnnotationError, match="cannot write"):
        write_yolo(tmp_path / "none" / "a.txt", [[0, 0, 1, 1]], (5, 5))


def test_published_labels_of_nudt_are_the_boxes_of_the_masks(data_root):
    folder = data_root / "NUDT-SIRST"
    n_equal = n_surplus = n_images = 0
    for path in sorted((folder / "labels_yolo_eflnet").glob("*.txt")):
        mask = read_mask(folder / "masks" / f"{path.stem}.png").pixels
        ours = {tuple(box) for box in mask_regions(mask).boxes.tolist()}
        read = read_yolo(path, mask.shape).boxes
        np.testing.assert_allclose(read, np.rint(read), atol=1e-3)
        published = [tuple(box) for box in np.rint(read).tolist()]
        assert ours <= set(published)
        surplus = [box for box in published if box not in ours]
        for x0, y0, x1, y1 in np.array(surplus, dtype=int).reshape(-1, 4):
            # A hole: a piece of background that the mask encloses.
            assert not mask[y0:y1, x0:x1].all()
        n_equal += len(ours)
        n_surplus += len(surplus)
        n_images += bool(surplus)
    assert (n_equal, n_surplus, n_images) == (1863, 53, 52)
