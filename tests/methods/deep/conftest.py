"""What the tests of the detectors with anchors have in common."""

from __future__ import annotations

import pytest


@pytest.fixture
def assert_halves_add_up():
    """Checks that a loss of two images is the sum of each alone; returns that of no target."""
    torch = pytest.importorskip("torch")

    def check(network, loss, *, rel):
        images = torch.rand(2, 3, 64, 64)
        targets = torch.tensor([[0, 0, 10.0, 12, 20, 21], [1, 0, 40, 40, 46, 47]])
        whole = loss.sums(network(images), targets)
        halves = []
        for row in range(2):
            own = targets[targets[:, 0] == row].clone()
            own[:, 0] = 0
            halves.append(loss.sums(network(images[row : row + 1]), own))
        assert float(whole.weight) == sum(float(one.weight) for one in halves) > 0
        for name, term in whole.terms.items():
            assert term.item() == pytest.approx(sum(h.terms[name].item() for h in halves), rel=rel)
        empty = loss.sums(network(images), torch.zeros(0, 6))
        sum(empty.terms.values()).backward()
        return whole, empty

    return check


@pytest.fixture
def assert_overfits():
    """Trains on two targets, until the two best boxes are these: AP@50 is 1."""
    torch = pytest.importorskip("torch")
    from irbench.networks.box_iou import box_iou
    from irbench.networks.nms import non_maximum_suppression

    def check(network, loss, *, n_images):
        boxes = torch.tensor([[10.0, 12, 18, 20], [40, 40, 50, 48]])
        image = 0.2 * torch.rand(1, 1, 64, 64)
        for x0, y0, x1, y1 in boxes.int().tolist():
            image[..., y0:y1, x0:x1] = 1
        images = image.expand(n_images, 3, -1, -1)
        rows = torch.arange(n_images).repeat_interleave(2)[:, None]
        classes = torch.zeros(2 * n_images, 1)
        targets = torch.cat([rows, classes, boxes.repeat(n_images, 1)], 1)
        optimizer = torch.optim.Adam(network.parameters(), 2e-3)
        for _ in range(120):
            sums = loss.sums(network(images), targets)
            optimizer.zero_grad()
            (sum(sums.terms.values()) / sums.weight).backward()
            optimizer.step()
        with torch.inference_mode():
            kept, *_ = non_maximum_suppression(
                *network.decode(network(images)), confidence=0.3, iou_threshold=0.5
            )
        assert (box_iou(boxes[:, None], kept.boxes[None, :2]).max(1).values > 0.5).all()

    return check
