// A titled part of a page, and the facts in it.
import type { ReactNode } from "react";
import { formatCount } from "../format";
import { CopyButton } from "./basics";

export function Card({ title, count, tools, children }: { title: string; count?: number; tools?: ReactNode; children: ReactNode }) {
  return (
    <section className="card" aria-label={title}>
      <header className="card-head">
        <h2>{title}{count === undefined ? null : <span className="count">{formatCount(count)}</span>}</h2>
        {tools}
      </header>
      {children}
    </section>
  );
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <div><dt title={name}>{name}</dt><dd>{children}</dd></div>;
}

export function Snippet({ title, text }: { title: string; text: string }) {
  return (
    <>
      <h3 className="snippet-title">{title}</h3>
      <div className="snippet"><pre><code>{text}</code></pre><CopyButton text={text} label={`Copy: ${title}`} /></div>
    </>
  );
}
