// How a first run comes to be: three ways, ready to paste, with this server's address filled in.
import { useState } from "react";
import { CopyButton, Segmented } from "./basics";

type Way = "python" | "command" | "sweep";

function snippet(way: Way, project: string): string {
  const origin = location.origin;
  switch (way) {
    case "python": return `import martlet            # found by itself: ${origin}

with martlet.init(project="${project}", config={"lr": 1e-3}) as run:
    for step in range(200):
        run.log({"loss": 1 / (step + 1)})`;
    case "command": return `export MARTLET_URL=${origin}
martlet run -- python train.py --lr 1e-3`;
    case "sweep": return `cat > sweep.yaml <<'END'
project: ${project}
program: train.py
method: grid
metric: {name: loss, goal: minimize}
parameters:
  lr: {values: [1e-2, 1e-3, 1e-4]}
  width: {values: [32, 64]}
END
martlet sweep run sweep.yaml`;
  }
}

const WORDS: Record<Way, string> = {
  python: "Log from Python: two lines around the loop you have.",
  command: "Track any command, in any language, as it is.",
  sweep: "Try every combination, two at a time, and see them ranked.",
};

export function FirstRun({ project }: { project: string }) {
  const [way, setWay] = useState<Way>("python");
  const text = snippet(way, project);
  return (
    <section className="card first-run" aria-label="Start a run">
      <header>
        <h2>Start a run</h2>
        <Segmented label="How" value={way} onChange={setWay}
          options={[["python", "Python"], ["command", "Any command"], ["sweep", "A sweep"]]} />
      </header>
      <p className="muted">{WORDS[way]}</p>
      <div className="snippet">
        <pre><code>{text}</code></pre>
        <CopyButton text={text} label="Copy" />
      </div>
    </section>
  );
}
