"""How the program ends, heard where Python tells it: the run is finished with that code and reason."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from types import TracebackType
from typing import Any, Callable, Optional

from martlet._outcome import exited, outcome


class Ending:
    """What is known of the end before it comes. Installed once."""

    def __init__(self, finish: Callable[..., None], rows: Callable[[], int]) -> None:
        self._finish = finish
        self._rows = rows
        self._noted: Optional[tuple[int, dict[str, Any]]] = None  # rows logged by then, and how it ended
        self._watched = 0  # the worker that was told of in `watch`
        self._print: Callable[..., None] = lambda: None
        self._excepthook = sys.excepthook
        self._exit = sys.exit
        sys.excepthook = self._uncaught
        sys.exit = self._exiting
        atexit.register(self._at_exit)

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: Optional[TracebackType]) -> None:
        self._note(outcome(kind, error))
        self._excepthook(kind, error, trace)

    def _exiting(self, status: Any = None) -> Any:
        """Python tells nobody the code of `sys.exit`, so it is read where it passes."""
        self._note(exited(status))
        return self._exit(status)

    def _note(self, ending: dict[str, Any]) -> None:
        if threading.current_thread() is threading.main_thread():  # of another thread it is the end of that alone
            self._noted = (self._rows(), ending)

    def watch(self) -> None:
        """The workers of multiprocessing tell their end to its own registry: forked ones do not come by atexit."""
        util, process = sys.modules.get("multiprocessing.util"), sys.modules.get("multiprocessing.process")
        if util and process and process.parent_process() is not None and self._watched != os.getpid():
            import traceback

            self._watched, self._noted = os.getpid(), None
            self._print = traceback.print_exc
            traceback.print_exc = self._printing
            util.Finalize(None, self._at_worker_end, exitpriority=100)

    def _printing(self, *given: Any, **more: Any) -> None:
        """From Python 3.13 on, what a worker dies of is printed before its registry is asked."""
        if sys._getframe(1).f_globals.get("__name__") == "multiprocessing.process":
            self._note(outcome(*sys.exc_info()[:2]))
        self._print(*given, **more)

    def _at_worker_end(self) -> None:
        kind, error, _ = sys.exc_info()
        if kind is not None:  # before Python 3.13 it is on its way out
            self._note(outcome(kind, error))
        self._at_exit()

    def _at_exit(self) -> None:
        ending: dict[str, Any] = {"exit_code": 0}
        if self._noted and self._noted[0] == self._rows():  # else somebody caught it, and the program went on
            ending = self._noted[1]
        self._finish(**ending)
