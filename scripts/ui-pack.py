#!/usr/bin/env python3
"""Packs the built dashboard into the one file that the binary embeds.

    scripts/ui-pack.py DIST PACK

Reads what esbuild left in DIST (app.<hash>.js, app.<hash>.css), adds the page, the icon and the licences of what is
bundled, and writes PACK. Its layout is told in Sources/CMartletUI/include/martlet_ui.h. The same input gives the
same bytes. Fails when the script or the styles outgrow their budget.
"""

import gzip
import hashlib
import json
import pathlib
import struct
import sys

SCRIPT_BUDGET = 150_000  # bytes, compressed: what a phone on a slow line loads before it shows anything
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

    page = (source / "index.html").read_text(encoding="utf-8")
    page = page.replace("/app.js", f"/{script.name}").replace("/app.css", f"/{style.name}")
    files = {
        "/index.html": page.encode(),
        f"/{script.name}": script.read_bytes(),
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
    for path, budget in ((f"/{script.name}", SCRIPT_BUDGET), (f"/{style.name}", STYLE_BUDGET)):
        if sizes[path] > budget:
            sys.exit(f"ui-pack: {path} is {sizes[path]:,} bytes compressed, above its budget of {budget:,}")

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
        f"ui-pack: {pack}: {len(whole):,} bytes; script {sizes[f'/{script.name}']:,}, "
        f"styles {sizes[f'/{style.name}']:,} compressed"
    )


if __name__ == "__main__":
    main()
