// The dashboard begins: theme, keys, sign-in, page.
import { createRoot } from "react-dom/client";
import { hasCode, signIn } from "./api/client";
import { App } from "./app";
import { listenForKeys } from "./keys";
import { applyTheme } from "./store/prefs";

applyTheme();
listenForKeys();
createRoot(document.getElementById("root")!).render(<App />);
void signIn();
// A link opened in a tab that shows this page already changes nothing but the fragment.
addEventListener("hashchange", () => {
  if (hasCode()) void signIn();
});
