"""One thread for all libraries; to be called before the first import of NumPy."""

from __future__ import annotations

import os

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def use_one_thread() -> None:
    """Set the variables that the libraries read, then the libraries themselves."""
    os.environ.update(dict.fromkeys(_VARIABLES, "1"))

    import cv2
    import numpy  # noqa: F401  (so that its BLAS is there to be limited)
    import scipy.linalg  # noqa: F401
    import threadpoolctl

    cv2.setNumThreads(1)
    threadpoolctl.threadpool_limits(1)
