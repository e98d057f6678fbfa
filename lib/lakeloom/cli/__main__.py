"""``python -m lakeloom.cli``: the same as the program ``lakeloom``."""

from lakeloom.cli import main

if __name__ == "__main__":
    main()
