// The frame around every page: top bar, rail or bottom bar, and the page that the address means.
import { useEffect, useState } from "react";
import { api, session, signOut } from "./api/client";
import { live } from "./api/live";
import type { Project } from "./api/types";
import { Button, Empty, IconButton, Link } from "./components/basics";
import { Dialog } from "./components/Dialog";
import { Icon, type IconName, Mark } from "./components/Icon";
import { later, loadRest } from "./components/Later";
import { LiveChip } from "./components/LiveChip";
import { PoolMeter } from "./components/PoolMeter";
import { ProjectSwitcher } from "./components/ProjectSwitcher";
import { Toasts, undo } from "./components/Toast";
import { bindings, useKeys } from "./keys";
import { HomePage } from "./pages/Home";
import { RunPage } from "./pages/Run";
import { RunsPage } from "./pages/Runs";
import { SignInPage, UnreachablePage } from "./pages/SignIn";
import { SweepsPage } from "./pages/Sweeps";
import { type Route, navigate, pathOf, place, projectOf } from "./router";
import { poolStore } from "./store/pool";
import { type Theme, pref, theme } from "./store/prefs";
import { Store, useStore } from "./store/store";

const projects = new Store<readonly Project[]>([]);
const lastProject = pref<string | null>("project", null);
const PoolPage = later((rest) => rest.PoolPage);
const SweepPage = later((rest) => rest.SweepPage);
const NewSweepPage = later((rest) => rest.NewSweepPage);
const ComparePage = later((rest) => rest.ComparePage);
const Palette = later((rest) => rest.Palette, "palette-wait");
const REST_AFTER = 1500; // milliseconds after which what was not wanted yet is loaded, too

export function App() {
  const who = useStore(session);
  useEffect(() => {
    if (who.phase === "in") {
      live.start();
      poolStore.open();
    } else {
      poolStore.close();
      live.stop();
    }
  }, [who.phase]);
  switch (who.phase) {
    case "unknown": return null;
    case "out": return <SignInPage why={who.why} />;
    case "unreachable": return <UnreachablePage message={who.error.message} hint={who.error.hint} />;
    case "in": return <Shell />;
  }
}

function Shell() {
  const { route } = useStore(place);
  const [help, setHelp] = useState(false);
  const [palette, setPalette] = useState(false);
  const kept = useStore(lastProject);
  const inRoute = projectOf(route);
  const known = useStore(projects);
  // Home belongs to no project: its ways lead to the one seen last, or the liveliest.
  const project = inRoute ?? (known.some(({ name }) => name === kept) ? kept : known[0]?.name ?? null);
  useEffect(() => {
    if (inRoute !== null) lastProject.set(inRoute);
    // The switcher is a comfort: when its list cannot be read, the page itself says what is wrong.
    api.projects().then((all) => {
      projects.set(all.sort((a, b) => (b.last_activity_at ?? 0) - (a.last_activity_at ?? 0)));
    }, () => {});
  }, [inRoute]);
  const go = (page: "runs" | "sweeps") => () => project !== null && navigate(pathOf({ page, project }));
  useKeys([
    { key: "g h", does: "go to home", run: () => navigate("/") },
    { key: "g r", does: "go to the runs", run: go("runs") },
    { key: "g s", does: "go to the sweeps", run: go("sweeps") },
    { key: "g p", does: "go to the pool", run: () => navigate("/pool") },
    { key: "z", does: "undo what the last message offers to undo", run: undo },
    { key: "?", does: "show the keys", run: () => setHelp(true) },
  ]);
  useEffect(() => {
    const timer = setTimeout(loadRest, REST_AFTER);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    // Works in fields, too: it is how one leaves them for somewhere else.
    const heard = (event: KeyboardEvent) => {
      if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      if (document.querySelector("dialog[open]") === null) setPalette(true);
    };
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  }, []);
  return (
    <div className="shell">
      <a className="skip" href="#main">Skip to the page</a>
      <header className="top">
        <Link to="/" className="brand"><Mark /><span>Martlet</span></Link>
        <ProjectSwitcher projects={known} current={inRoute} />
        <span className="grow" />
        <PoolMeter />
        <LiveChip />
        <IconButton icon="search" label="Go to… (Ctrl+K)" className="wide-only" onClick={() => setPalette(true)} />
        <ThemeButton />
        <IconButton icon="keyboard" label="Keys" className="wide-only" onClick={() => setHelp(true)} />
        <IconButton icon="out" label="Sign out" className="wide-only" onClick={() => signOut()} />
      </header>
      <nav className="rail" aria-label="Main">
        <Places route={route} project={project} />
      </nav>
      <main id="main" tabIndex={-1}><Page route={route} /></main>
      {palette ? <Palette project={project} projects={known} onClose={() => setPalette(false)} /> : null}
      {help ? <Help onClose={() => setHelp(false)} /> : null}
      <Toasts />
    </div>
  );
}

function Places({ route, project }: { route: Route; project: string | null }) {
  const item = (to: string, icon: IconName, word: string, current: boolean) => (
    <Link to={to} className="place" current={current}><Icon name={icon} size={20} /><span>{word}</span></Link>
  );
  return (
    <>
      {item("/", "home", "Home", route.page === "home")}
      {project === null ? null : (
        <>
          {item(pathOf({ page: "runs", project }), "runs", "Runs", ["runs", "run", "compare"].includes(route.page))}
          {item(pathOf({ page: "sweeps", project }), "sweeps", "Sweeps", ["sweeps", "sweep", "newsweep"].includes(route.page))}
        </>
      )}
      {item("/pool", "chip", "Pool", route.page === "pool")}
    </>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "home": return <HomePage />;
    case "pool": return <PoolPage />;
    case "runs": return <RunsPage project={route.project} />;
    case "run": return <RunPage id={route.run} />;
    case "compare": return <ComparePage key={route.project} project={route.project} />;
    case "sweeps": return <SweepsPage project={route.project} />;
    case "sweep": return <SweepPage id={route.sweep} />;
    case "newsweep": return <NewSweepPage project={route.project} />;
    case "missing": return (
      <div className="page narrow">
        <Empty icon="question" title="There is no page here">
          <p>Nothing answers to <code>{route.path}</code>.</p>
          <Button tone="primary" onClick={() => navigate("/")}>Go home</Button>
        </Empty>
      </div>
    );
  }
}

const NEXT_THEME: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const THEME_ICON: Record<Theme, IconName> = { system: "system", light: "sun", dark: "moon" };

function ThemeButton() {
  const now = useStore(theme);
  const next = NEXT_THEME[now];
  return <IconButton icon={THEME_ICON[now]} label={`Theme: ${now}. Switch to ${next}`} onClick={() => theme.set(next)} />;
}

function Help({ onClose }: { onClose: () => void }) {
  const all = useStore(bindings);
  const [version, setVersion] = useState("");
  useEffect(() => {
    // Nothing depends on it: without an answer the line simply lacks the number.
    api.version().then((answer) => setVersion(answer.version), () => {});
  }, []);
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="keys">
        {all.map(({ key, does }) => (
          <div key={key}><dt>{key.split(" ").map((each) => <kbd key={each}>{each}</kbd>)}</dt><dd>{does}</dd></div>
        ))}
        <div><dt><kbd>Ctrl</kbd><kbd>K</kbd></dt><dd>go to a page, a GPU, a sweep or a run</dd></div>
        <div><dt><kbd>←</kbd><kbd>→</kbd></dt><dd>in a chart: move the cursor; ↑ ↓ choose a line</dd></div>
        <div><dt><kbd>Esc</kbd></dt><dd>leave a field, close a dialog, reset the zoom in a chart</dd></div>
      </dl>
      <p className="about muted small">Martlet {version} · <a href="/licenses.txt" target="_blank" rel="noreferrer">licences of what is in this page</a></p>
    </Dialog>
  );
}
