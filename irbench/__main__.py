"""``python -m irbench``."""

from irbench.cli.main import main

if __name__ == "__main__":
    main()
