"""How a program ended, in the words of `finish`."""

from __future__ import annotations

from typing import Any, Optional


def outcome(kind: Optional[type[BaseException]], error: Optional[BaseException]) -> dict[str, Any]:
    """Of a program that was left by this exception."""
    if kind is None:
        return {"exit_code": 0}
    if issubclass(kind, SystemExit):
        return exited(getattr(error, "code", None))
    if issubclass(kind, KeyboardInterrupt):
        return {"exit_code": 130, "reason": "Interrupted from the keyboard.", "state": "stopped"}
    try:
        text = str(error)
    except Exception:  # another library's exception that cannot be printed
        text = ""
    return {"exit_code": 1, "reason": f"{kind.__name__}: {text}" if text else kind.__name__}


def exited(status: Any) -> dict[str, Any]:
    """What `sys.exit(status)` means."""
    if status is None or isinstance(status, int):
        return {"exit_code": int(status or 0) & 0xFF}
    return {"exit_code": 1, "reason": str(status)}
