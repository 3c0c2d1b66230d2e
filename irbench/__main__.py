"""``python -m irbench``."""

import os
import sys

if __name__ == "__main__":
    # Python puts the current folder first, with whatever files lie beside the user's data.
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109
        del sys.path[0]
    from irbench.cli.main import main

    main()
