"""How a program ended, in the words of `finish`."""

from __future__ import annotations

from typing import Any, Optional

from martlet._delivery import warn
from martlet._values import whole, words

STATES = ("finished", "failed", "crashed", "stopped")
LIMIT = (1 << 31) - 1


def outcome(kind: Optional[type[BaseException]], error: Optional[BaseException]) -> dict[str, Any]:
    """Of a program that was left by this exception."""
    if kind is None:
        return {"exit_code": 0}
    if issubclass(kind, SystemExit):
        return exited(getattr(error, "code", None))
    if issubclass(kind, KeyboardInterrupt):
        return {"exit_code": 130, "reason": "Interrupted from the keyboard.", "state": "stopped"}
    text = words(error)
    return {"exit_code": 1, "reason": f"{kind.__name__}: {text}" if text else kind.__name__}


def exited(status: Any) -> dict[str, Any]:
    """What `sys.exit(status)` means."""
    if status is None or isinstance(status, int):
        return {"exit_code": int(status or 0) & 0xFF}
    return {"exit_code": 1, "reason": words(status)}


def ending(exit_code: Any, reason: Any, state: Any) -> dict[str, Any]:
    """What `finish` was given, as far as a run can end so: it ends in any case, and the training goes on."""
    end: dict[str, Any] = {}
    try:
        end["exit_code"] = min(max(whole(0 if exit_code is None else exit_code), -LIMIT), LIMIT)
    except Exception:
        warn(f"the exit code is a whole number, not {words(exit_code)[:100]!r}: 1 is used")
        end["exit_code"] = 1
    if reason is not None:
        end["reason"] = words(reason)[:1000]
    if isinstance(state, str) and state in STATES:
        end["state"] = state
    elif state is not None:
        warn(f"a run ends as one of {', '.join(STATES)}, not {words(state)[:100]!r}: the exit code tells")
    return end
