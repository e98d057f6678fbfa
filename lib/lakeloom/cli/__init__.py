"""The command line: one file a command, each a thin edge over `lakeloom.api`. Only this package prints.

A command's module is imported when the command is called, and what it needs inside its function:
``lakeloom --help`` is the test of that.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of the program ``lakeloom``."""
    from lakeloom.cli.app import run

    run()
