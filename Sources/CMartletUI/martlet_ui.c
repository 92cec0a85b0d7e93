// Compiles the dashboard's pack into the binary (C23 #embed), and hands out its address.
#include "martlet_ui.h"

// Without the pack the build must fail: a compiler that once took a fallback would not look again when it appears.
#if !__has_embed("../../ui/dist/ui.pack")
#error "The dashboard is not built: run scripts/ui-build first"
#endif

static const uint8_t pack[] = {
#embed "../../ui/dist/ui.pack"
};

const uint8_t *martlet_ui_pack(void) { return pack; }

size_t martlet_ui_pack_len(void) { return sizeof pack; }
