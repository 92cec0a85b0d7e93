// The dashboard begins: theme, keys, sign-in, page.
import { createRoot } from "react-dom/client";
import { signIn } from "./api/client";
import { App } from "./app";
import { listenForKeys } from "./keys";
import { applyTheme } from "./store/prefs";

applyTheme();
listenForKeys();
createRoot(document.getElementById("root")!).render(<App />);
void signIn();
