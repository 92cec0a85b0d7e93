// Small parts that every page uses: links, buttons with a copy of something, notes, and the ticking clock.
import { type MouseEvent, type ReactNode, type RefObject, useEffect, useState, useSyncExternalStore } from "react";
import type { ApiError } from "../api/client";
import { formatAgo, formatTime } from "../format";
import { navigate } from "../router";
import { toast } from "./Toast";
import { Icon, type IconName } from "./Icon";

/** A link inside the dashboard: a real address, followed without loading the page anew. */
export function Link(props: {
  to: string; children: ReactNode; className?: string; title?: string; current?: boolean;
}) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(props.to);
  };
  return (
    <a href={props.to} className={props.className} title={props.title} onClick={follow}
      aria-current={props.current ? "page" : undefined}>
      {props.children}
    </a>
  );
}

export function Button(props: {
  children: ReactNode; onClick: () => void; icon?: IconName; tone?: "primary" | "danger" | "plain"; disabled?: boolean;
  title?: string;
}) {
  return (
    <button type="button" className={`button ${props.tone ?? ""}`} onClick={props.onClick} disabled={props.disabled}
      title={props.title}>
      {props.icon ? <Icon name={props.icon} size={14} /> : null}
      {props.children}
    </button>
  );
}

export function IconButton(props: {
  icon: IconName; label: string; onClick: () => void; pressed?: boolean; expanded?: boolean; className?: string;
}) {
  return (
    <button type="button" className={`icon-button ${props.className ?? ""}`} aria-label={props.label} title={props.label}
      aria-pressed={props.pressed} aria-expanded={props.expanded} onClick={props.onClick}>
      <Icon name={props.icon} />
    </button>
  );
}

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("This browser does not let the page copy; select the text and copy it by hand.");
  }
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  return <IconButton icon="copy" label={label} onClick={() => void copy(text)} className="small" />;
}

/** A failure in plain words with a way to try again. */
export function Failure({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div className="failure" role="alert">
      <Icon name="bolt" size={18} />
      <div>
        <p className="failure-what">{error.message}</p>
        {error.hint ? <p className="failure-hint">{error.hint}</p> : null}
      </div>
      {retry ? <Button onClick={retry}>Retry</Button> : null}
    </div>
  );
}

/** Nothing is here, and why, and what comes next. Never shown while something is still being read. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <span className="empty-icon"><Icon name={icon} size={24} /></span>
      <h2>{title}</h2>
      <div className="empty-text">{children}</div>
    </div>
  );
}

/** Placeholders for what is being read; they appear after a moment, so that a quick answer does not flicker. */
export function Skeleton({ rows = 6, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <output className="skeleton" aria-label={label}>
      {Array.from({ length: rows }, (_, i) => <span key={i} className="skeleton-row" />)}
    </output>
  );
}

const clock = {
  listeners: new Set<() => void>(),
  timer: 0,
  subscribe(listener: () => void): () => void {
    clock.listeners.add(listener);
    if (clock.timer === 0) clock.timer = setInterval(() => clock.listeners.forEach((each) => each()), 1000);
    return () => {
      clock.listeners.delete(listener);
      if (clock.listeners.size > 0) return;
      clearInterval(clock.timer);
      clock.timer = 0;
    };
  },
  now: () => Math.floor(Date.now() / 1000) * 1e6,
};

/** The time in microseconds, a new one each second. */
export function useNow(): number {
  return useSyncExternalStore(clock.subscribe, clock.now);
}

/** How long ago something was; the exact time is in its title. */
export function Ago({ at }: { at: number | null }) {
  const now = useNow();
  if (at === null) return <span className="muted">–</span>;
  return <time dateTime={new Date(at / 1000).toISOString()} title={formatTime(at)}>{formatAgo(at, now)}</time>;
}

/** Whether an element is, or has been, near the part of the page in sight. */
export function useNear(element: RefObject<HTMLElement>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      setNear(true);
      observer.disconnect();
    }, { rootMargin: "400px" });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, [element]);
  return near;
}

/** Whether the window is as narrow as a phone's. */
export function usePhone(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia("(max-width: 760px)").matches);
  useEffect(() => {
    const query = matchMedia("(max-width: 760px)");
    const heard = () => setNarrow(query.matches);
    query.addEventListener("change", heard);
    return () => query.removeEventListener("change", heard);
  }, []);
  return narrow;
}

/** A part of the page that scrolls by itself, within reach of the keys. */
export function Scrolled({ label, className = "scroll-x", children }: { label: string; className?: string; children: ReactNode }) {
  return (
    // What scrolls must be reachable by keys.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section className={className} tabIndex={0} aria-label={label}>{children}</section>
  );
}

/** A choice of a few, all in sight. */
export function Segmented<T extends string>(props: {
  label: string; value: T; options: readonly (readonly [value: T, word: string])[]; onChange: (value: T) => void;
}) {
  return (
    <fieldset className="segmented" aria-label={props.label}>
      {props.options.map(([value, word]) => (
        <button key={value} type="button" aria-pressed={value === props.value} onClick={() => props.onChange(value)}>
          {word}
        </button>
      ))}
    </fieldset>
  );
}
