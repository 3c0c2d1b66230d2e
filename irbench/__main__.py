"""``python -m irbench``."""

import os
import sys

if __name__ == "__main__":
    # Python puts the current folder first, with whatever files lie beside the user's data. In the
    # root of a checkout this package is from there, and the workers' must be the same.
    here = os.getcwd()  # noqa: PTH109
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", here) and here != root:
        del sys.path[0]
    from irbench.cli.main import main

    main()
