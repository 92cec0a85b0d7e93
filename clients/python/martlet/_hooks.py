"""How the program ends, heard where Python tells it: the run is finished with that code and reason."""

from __future__ import annotations

import atexit
import sys
from types import TracebackType
from typing import Any, Callable, Optional

from martlet._outcome import exited, outcome


class Ending:
    """What is known of the end before it comes. Installed once."""

    def __init__(self, finish: Callable[..., None], rows: Callable[[], int]) -> None:
        self._finish = finish
        self._rows = rows
        self._noted: Optional[tuple[int, dict[str, Any]]] = None  # rows logged by then, and how it ended
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
        self._noted = (self._rows(), ending)

    def _at_exit(self) -> None:
        ending: dict[str, Any] = {"exit_code": 0}
        if self._noted and self._noted[0] == self._rows():  # else somebody caught it, and the program went on
            ending = self._noted[1]
        self._finish(**ending)
