"""``python -m streams.cli``: the same as ``perdiem``."""

from streams.cli import main

main()
