"""The loss of a distance that is given by a distribution.

References
----------
.. [1] X. Li et al., "Generalized focal loss: learning qualified and distributed
   bounding boxes for dense object detection", NeurIPS 2020, Eq. (6).
"""

from __future__ import annotations

from torch import Tensor


def distribution_focal_loss(logits: Tensor, distances: Tensor) -> Tensor:
    """Cross-entropy against the two whole numbers beside a distance.

    The distribution focal loss [1]_:
    ``-(1 - f) log p_k - f log p_(k+1)`` for the distance ``k + f`` and the softmax p:
    least, the entropy of (1 - f, f), where the mean of p is the distance.

    Parameters
    ----------
    logits : (..., reg_max) Tensor
    distances : (...) Tensor
        In cells; clipped to [0, reg_max - 1.01].

    Returns
    -------
    (...) Tensor
    """
    # Kept off the last bin, so that the bin above exists.
    distances = distances.clamp(0, logits.shape[-1] - 1.01)
    below = distances.floor()
    fraction = distances - below
    index = below.long().unsqueeze(-1)
    log_p = logits.log_softmax(-1)
    return -(
        (1 - fraction) * log_p.gather(-1, index).squeeze(-1)
        + fraction * log_p.gather(-1, index + 1).squeeze(-1)
    )
