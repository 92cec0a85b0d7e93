#!/usr/bin/env python3
"""Packs the built dashboard into the one file that the binary embeds.

    scripts/ui-pack.py DIST PACK

Reads what esbuild left in DIST (app.<hash>.js, part.<hash>.js, app.<hash>.css, meta.json), adds the page, the icon
and the licences of what is bundled, and writes PACK. Its layout is told in Sources/CMartletUI/include/martlet_ui.h.
The same input gives the same bytes. Fails when the scripts or the styles outgrow their budgets.
"""

import gzip
import hashlib
import json
import pathlib
import struct
import sys

# Bytes, compressed.
SCRIPT_BUDGET = 150_000  # what a phone on a slow line loads before it shows anything: the app and the parts it imports
LATER_BUDGET = 60_000  # what is loaded when the first page is there
STYLE_BUDGET = 30_000

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}

LICENCES = ["node-react", "node-react-dom"]


def only(dist: pathlib.Path, suffix: str) -> pathlib.Path:
    """The one app.<hash> file with this suffix; the build empties the folder first, so more than one is a fault."""
    found = sorted(dist.glob(f"app.*{suffix}"))
    if len(found) != 1:
        sys.exit(f"ui-pack: expected one app.<hash>{suffix} in {dist}, found {len(found)}: run scripts/ui-build")
    return found[0]


def needed_first(dist: pathlib.Path, script: pathlib.Path) -> list[pathlib.Path]:
    """The parts that the app imports, and those that they import: nothing is shown before they are there."""
    outputs = json.loads((dist / "meta.json").read_text(encoding="utf-8"))["outputs"]
    by_name = {pathlib.PurePosixPath(path).name: output for path, output in outputs.items()}
    found: list[str] = [script.name]
    for name in found:
        imported = [each for each in by_name[name]["imports"] if each["kind"] == "import-statement"]
        found += sorted({pathlib.PurePosixPath(each["path"]).name for each in imported} - set(found))
    return [dist / name for name in found[1:]]


def compress(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=9, mtime=0)


def licences() -> bytes:
    """The notices of the packages whose code is in the bundle, as the distribution keeps them."""
    parts = []
    for name in LICENCES:
        path = pathlib.Path("/usr/share/doc") / name / "copyright"
        if not path.exists():
            sys.exit(f"ui-pack: {path} is missing, and the bundle must carry it: apt-get install {name}")
        parts.append(f"==== {name} ====\n\n{path.read_text(encoding='utf-8')}\n")
    return "\n".join(parts).encode()


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    dist, pack = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    source = pathlib.Path(__file__).resolve().parent.parent / "ui"
    script, style = only(dist, ".js"), only(dist, ".css")
    parts = sorted(dist.glob("part.*.js"))
    first = needed_first(dist, script)

    page = (source / "index.html").read_text(encoding="utf-8")
    page = page.replace("/app.js", f"/{script.name}").replace("/app.css", f"/{style.name}")
    # Without this the browser learns of them only when it has read the app.
    ahead = "".join(f'    <link rel="modulepreload" href="/{each.name}">\n' for each in first)
    page = page.replace("  </head>", f"{ahead}  </head>")
    files = {
        "/index.html": page.encode(),
        **{f"/{each.name}": each.read_bytes() for each in (script, *parts)},
        f"/{style.name}": style.read_bytes(),
        "/favicon.svg": (source / "favicon.svg").read_bytes(),
        "/licenses.txt": licences(),
    }
    # The folder alone serves the dashboard too (martlet up --ui ui/dist).
    for path, data in files.items():
        (dist / path[1:]).write_bytes(data)

    index, blobs, offset = [], [], 0
    for path, data in sorted(files.items()):
        packed = compress(data)
        index.append(
            {
                "path": path,
                "type": TYPES[pathlib.PurePosixPath(path).suffix],
                "etag": hashlib.sha256(data).hexdigest()[:32],
                "offset": offset,
                "len": len(packed),
                "gzip": True,
            }
        )
        blobs.append(packed)
        offset += len(packed)

    sizes = {entry["path"]: entry["len"] for entry in index}
    at_first = sum(sizes[f"/{each.name}"] for each in (script, *first))
    later = sum(sizes[f"/{each.name}"] for each in parts if each not in first)
    for what, size, budget in (
        ("the scripts that are loaded at first", at_first, SCRIPT_BUDGET),
        ("the scripts that are loaded later", later, LATER_BUDGET),
        ("the styles", sizes[f"/{style.name}"], STYLE_BUDGET),
    ):
        if size > budget:
            sys.exit(f"ui-pack: {what} are {size:,} bytes compressed, above their budget of {budget:,}")

    head = json.dumps(index, separators=(",", ":")).encode()
    whole = struct.pack("<I", len(head)) + head + b"".join(blobs)
    if pack.exists() and pack.read_bytes() == whole:
        print(f"ui-pack: {pack} is up to date ({len(whole):,} bytes)")
        return
    # Written aside and renamed: a compiler that reads at this moment sees the old pack or the new one, whole.
    aside = pack.with_suffix(".tmp")
    aside.write_bytes(whole)
    aside.rename(pack)
    print(
        f"ui-pack: {pack}: {len(whole):,} bytes; scripts {at_first:,} at first, {later:,} later, "
        f"styles {sizes[f'/{style.name}']:,} compressed"
    )


if __name__ == "__main__":
    main()
