"""Clock: a program whose time is another one, so that pictures show days that went by.

``python -m tests.browser.clock FILE MODULE [ARGUMENT ...]`` runs a module with a clock that is off by the
seconds in FILE, read anew each time. What aiokafka has in C reads its own: set AIOKAFKA_NO_EXTENSIONS=1.
"""

import runpy
import sys
import time
from pathlib import Path

real = time.time


def run(file: Path, module: str, *arguments: str) -> None:
    time.time = lambda: real() + float(file.read_text() or 0)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    run(Path(sys.argv[1]), *sys.argv[2:])
