// A patch, file by file, with what came and what went.
import { useMemo } from "react";
import { formatCount, plural } from "../format";
import { Scrolled } from "./basics";
import { readPatch } from "../store/patch";

const MOST = 4000; // lines of a file that are shown

const MARKS = { add: "+", remove: "−", same: " ", hunk: "", note: "" } as const;

export function PatchView({ text }: { text: string }) {
  const files = useMemo(() => readPatch(text), [text]);
  if (files.length === 0) return <p className="muted">The patch is empty: nothing differs from the commit.</p>;
  return (
    <div className="patch">
      <p className="muted small">{plural(files.length, "file")}</p>
      {files.map((file, i) => (
        <details key={`${i}${file.name}`} open={files.length <= 20} className="patch-file">
          <summary><code>{file.name}</code>
            <span className="patch-counts"><span className="good">+{formatCount(file.added)}</span> <span className="bad">−{formatCount(file.removed)}</span></span>
          </summary>
          <Scrolled label={`Changes of ${file.name}`}>
            <table className="patch-lines">
              <tbody>
                {file.lines.slice(0, MOST).map((line, j) => (
                  <tr key={j} className={line.kind}>
                    <td className="patch-number">{line.before ?? ""}</td>
                    <td className="patch-number">{line.after ?? ""}</td>
                    <td><span className="patch-mark">{MARKS[line.kind]}</span>{line.text}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scrolled>
          {file.lines.length > MOST ? <p className="muted small">The first {formatCount(MOST)} of {plural(file.lines.length, "line")}.</p> : null}
        </details>
      ))}
    </div>
  );
}
