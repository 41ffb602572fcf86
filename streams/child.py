"""Child: a process that this one starts, watches and ends."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_STOP_TIMEOUT = 30.0
_ASK_EVERY = 0.05
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """A running process in a session of its own, whose output goes to the end of ``log``.

    ``environment``: all its variables, by default those of this process.

    Ctrl-C does not reach it: whoever started it stops it, after its clients. On Linux it dies with
    the thread that started it, even by kill -9.
    """

    def __init__(
        self, command: Sequence[str], log: Path, *, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=environment,
                start_new_session=True,
                preexec_fn=_die_with_parent if _libc else None,
            )
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code; raises subprocess.TimeoutExpired if it still runs after ``seconds``."""
        return self._process.wait(seconds)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until ``ready`` says so.

        Raises ChildProcessError if the process ends before, TimeoutError after ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            try:
                code = self._process.wait(_ASK_EVERY)
            except subprocess.TimeoutExpired:
                if time.monotonic() < deadline:
                    continue
                raise TimeoutError(f"not ready within {seconds:.0f} s") from None
            raise ChildProcessError(f"it ended while it started (exit {code})")

    def signal(self, how: signal.Signals) -> None:
        self._process.send_signal(how)

    def stop(self) -> int:
        """SIGTERM, and by force if it has not ended 30 s later; its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it at once, as a crash would; its exit code."""
        self._process.kill()
        return self._process.wait()


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    if _libc:
        _libc.prctl(pr_set_pdeathsig, signal.SIGKILL)
