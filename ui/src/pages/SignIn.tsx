// Before anybody is signed in: what to do, in one command.
import { api, signIn } from "../api/client";
import { Button, CopyButton } from "../components/basics";
import { Mark } from "../components/Icon";
import { useEffect, useState } from "react";

const COMMAND = "martlet status --link";

export function SignInPage({ why }: { why: string | null }) {
  return (
    <main className="sign-in">
      <div className="card sign-in-card">
        <Mark size={44} />
        <h1>Sign in to Martlet</h1>
        {why === null ? null : <output className="sign-in-why">{why}</output>}
        <p>On the machine where Martlet runs, ask for a link and open it in this browser:</p>
        <div className="snippet"><pre><code>{COMMAND}</code></pre><CopyButton text={COMMAND} label="Copy the command" /></div>
        <p className="muted">The link works once, within ten minutes. This browser then stays signed in; there is no password
          and no account.</p>
      </div>
    </main>
  );
}

/** The server cannot be reached: nothing to show, and nothing that signing in could change. */
export function UnreachablePage({ message, hint }: { message: string; hint: string | null }) {
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => {
      void api.version().then(signIn, () => setTries(tries + 1));
    }, Math.min(8000, 1000 * 2 ** tries));
    return () => clearTimeout(timer);
  }, [tries]);
  return (
    <main className="sign-in">
      <div className="card sign-in-card">
        <Mark size={44} />
        <h1>{message}</h1>
        <p>{hint}</p>
        <p className="muted">This page tries again by itself.</p>
        <Button tone="primary" onClick={() => void signIn()}>Try now</Button>
      </div>
    </main>
  );
}
