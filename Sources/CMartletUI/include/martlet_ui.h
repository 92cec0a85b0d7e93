// The dashboard's files as one pack inside the binary.
//
// The pack is what scripts/ui-pack.py writes to ui/dist/ui.pack:
//
//   u32, little endian      length n of the index in bytes
//   n bytes of JSON         [{"path", "type", "etag", "offset", "len", "gzip"}, …]
//   the rest                the files' bytes, one after the other
//
// "path" begins with a slash ("/index.html"), "type" is the whole Content-Type, "etag" is lower-case hex without
// quotes, "offset" counts from the first byte behind the index, "len" is the number of stored bytes, and "gzip"
// says whether these bytes are gzip-compressed. A file whose name carries a hash (app.<hash>.js) never changes.
#ifndef MARTLET_UI_H
#define MARTLET_UI_H

#include <stddef.h>
#include <stdint.h>

/// The first byte of the pack. It lives as long as the program and is never written to.
const uint8_t *_Nonnull martlet_ui_pack(void);

/// How many bytes the pack has.
size_t martlet_ui_pack_len(void);

#endif
