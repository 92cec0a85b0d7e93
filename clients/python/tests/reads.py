"""What the tests' server answers to readers: lists, histories and frames of series, after docs/api.md."""

from __future__ import annotations

import json
import math
import struct
from typing import Any


def listed(runs: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    """A page of runs. The cursor is the number of the next."""
    found = [
        run
        for run in runs
        if bool(run.get("deleted_at")) == (query.get("deleted") == "true")
        and query.get("project", run["project"]) == run["project"]
        and run["state"] in query.get("state", run["state"]).split(",")
        and query.get("search", "") in run["name"]
    ]
    sort = query.get("sort", "-created")
    if sort.endswith("name"):
        found.sort(key=lambda run: run["name"])
    if sort.startswith("-"):
        found.reverse()
    begin, limit = int(query.get("cursor", "0")), min(int(query.get("limit", "100")), 2)  # small pages
    end = begin + limit
    return {"items": found[begin:end], "next": str(end) if end < len(found) else None}


def history(rows: list[dict[str, Any]], query: dict[str, str]) -> tuple[bytes, dict[str, str]]:
    """JSON lines, and the header that says where the next page begins."""
    text = query.get("keys")
    keys = None if text is None else json.loads(text) if text.startswith("[") else text.split(",")
    begin, limit = int(query.get("after", "-1")) + 1, int(query.get("limit", len(rows) or 1))
    lines, row = [], begin
    while row < len(rows) and len(lines) < limit:
        one = rows[row]
        values = {k: v for k, v in one["values"].items() if keys is None or k in keys}
        in_window = int(query.get("from_step", one["step"])) <= one["step"] <= int(query.get("to_step", one["step"]))
        if in_window and values:
            lines.append(json.dumps({"row": row, "step": one["step"], "time": one["time"], "values": values}))
        row += 1
    headers = {"Martlet-Next": str(row - 1)} if row < len(rows) else {}
    return "".join(line + "\n" for line in lines).encode(), headers


def frame(rows: dict[str, list[dict[str, Any]]], wanted: dict[str, Any]) -> bytes:
    """Raw where the window has few points, else buckets of equally many points, which is not how the server cuts."""
    heads, words, at = [], [], 0

    def array(name: str, kind: str, values: list[Any]) -> dict[str, Any]:
        nonlocal at
        words.append(struct.pack(f"<{len(values)}{'q' if kind == 'i64' else 'd'}", *values))
        at += len(words[-1])
        return {"name": name, "type": kind, "offset": at - len(words[-1])}

    for run in wanted["runs"]:
        for key in wanted.get("keys") or sorted({k for row in rows[run] for k in row["values"]}):
            points = [
                (r["step"], r["time"], r["values"][key]) for r in rows[run] if type(r["values"].get(key)) is float
            ]
            points = [p for p in points if wanted.get("from_step", p[0]) <= p[0] <= wanted.get("to_step", p[0])]
            head = {"run": run, "key": key, "count": len(points)}
            if len(points) <= wanted["buckets"]:
                parts = [[point] for point in points]
            else:
                each = math.ceil(len(points) / wanted["buckets"])
                parts = [points[i : i + each] for i in range(0, len(points), each)]
            arrays = [array(n, "i64", [part[0][i] for part in parts]) for i, n in enumerate(("steps", "times"))]
            values = [[value for _, _, value in part] for part in parts]
            if len(points) <= wanted["buckets"]:
                kind, columns = "raw", {"values": lambda v: v[0]}
            else:
                kind = "buckets"
                columns = {"first": lambda v: v[0], "last": lambda v: v[-1], "min": min, "max": max}
                columns["mean"] = lambda v: sum(v) / len(v)
            arrays += [array(name, "f64", [of(part) for part in values]) for name, of in columns.items()]
            heads.append({**head, "kind": kind, "n": len(parts), "arrays": arrays})
    header = json.dumps({"series": heads}).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<8sII", b"MARTLETS", 1, len(header)) + header + b"".join(words)
