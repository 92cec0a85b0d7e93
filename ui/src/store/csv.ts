// CSV (RFC 4180) as rows; commas, semicolons or tabs, whichever the first line has most of.

export function readCSV(text: string, most: number): { columns: string[]; rows: string[][]; more: boolean } {
  const head = text.slice(0, Math.max(0, text.indexOf("\n")) || text.length);
  const separator = [",", ";", "\t"].map((each) => ({ each, count: head.split(each).length })).sort((a, b) => b.count - a.count)[0]!.each;
  const rows: string[][] = [];
  let [row, cell, quotes, i] = [[] as string[], "", false, 0];
  const end = () => {
    row.push(cell);
    if (row.length > 1 || row[0] !== "") rows.push(row);
    [row, cell] = [[], ""];
  };
  for (; i < text.length && rows.length <= most; i++) {
    const at = text[i]!;
    if (quotes) {
      if (at !== '"') cell += at;
      else if (text[i + 1] === '"') cell += text[++i]!;
      else quotes = false;
    } else if (at === '"' && cell === "") quotes = true;
    else if (at === separator) {
      row.push(cell);
      cell = "";
    } else if (at === "\n") end();
    else if (at !== "\r") cell += at;
  }
  if (i >= text.length && (cell !== "" || row.length > 0)) end();
  const [columns = [], ...rest] = rows;
  return { columns, rows: rest.slice(0, most), more: i < text.length || rest.length > most };
}
