// The icons: strokes on a 16-pixel grid, in the colour of the text beside them.

const PATHS = {
  home: "M2.5 7.5 8 2.8l5.5 4.7M4 6.5v6.7h8V6.5M6.7 13.2V9.5h2.6v3.7",
  runs: "M2 12.5 5.5 8l2.7 2.5L14 3.5M2 14.2h12",
  sweeps: "M3 3h4v4H3zM9 3h4v4H9zM3 9h4v4H3zM9 11h4M11 9v4",
  check: "M3.5 8.5l3 3 6-7",
  cross: "M4 4l8 8M12 4l-8 8",
  play: "M5.5 3.5v9l7-4.5z",
  clock: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2M8 5v3.2l2.2 1.4",
  stop: "M4.5 4.5h7v7h-7z",
  question: "M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.8.4-1.1.9-1.1 1.7M8 12.2v.1",
  bolt: "M9 1.8 4 9h3.5L7 14.2 12 7H8.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  drain: "M8 2.5v8M4.8 7.5 8 10.7l3.2-3.2M3 13.5h10",
  scissors: "M12.5 3 5.5 11M3.5 3l7 8M4.2 13.5a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4M11.8 13.5a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13 9.6A5.5 5.5 0 0 1 6.4 3 5.5 5.5 0 1 0 13 9.6z",
  system: "M2 3h12v8H2zM6 13.5h4M8 11v2.5",
  up: "M4.5 9.5 8 6l3.5 3.5",
  chevron: "M4.5 6.5 8 10l3.5-3.5",
  top: "M3.5 3h9M8 13.2V6M4.8 9 8 5.8 11.2 9",
  right: "M6.5 4.5 10 8l-3.5 3.5",
  left: "M9.5 4.5 6 8l3.5 3.5",
  plus: "M8 3.5v9M3.5 8h9",
  minus: "M3.5 8h9",
  file: "M4 2h5.5L12.5 5v9H4zM9.5 2v3h3",
  media: "M2.5 3h11v10h-11zM2.5 11l3.2-3.4 2.6 2.6 1.9-1.9 3.3 3M10.6 6.1a.6.6 0 1 0 0-1.2.6.6 0 0 0 0 1.2",
  trash: "M3 4.5h10M6.3 4.5V2.8h3.4v1.7M4.3 4.5l.6 8.7h6.2l.6-8.7M6.8 7v4M9.2 7v4",
  again: "M12.9 8.6A5 5 0 1 1 11.4 4.3M12.9 2v3.2H9.7",
  undo: "M3 6.5h6.5a3.2 3.2 0 0 1 0 6.4H6M5.8 3.7 3 6.5l2.8 2.8",
  select: "M2.5 3h3v3h-3zM2.5 10h3v3h-3zM8 4.5h5.5M8 11.5h5.5",
  expand: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13 3 9.2 6.8M3 13l3.8-3.8",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.2 3.2",
  keyboard: "M1.8 4h12.4v8H1.8zM4.5 6.7h.1M7 6.7h.1M9.4 6.7h.1M11.7 6.7h.1M5 9.5h6",
  download: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13.5h10",
  star: "M8 2.2l1.8 3.7 4 .6-2.9 2.8.7 4L8 11.4l-3.6 1.9.7-4L2.2 6.5l4-.6z",
  book: "M3 2.8h7.5A2 2 0 0 1 12.5 5v8.2H5A2 2 0 0 1 3 11.2zM5.5 6H10M5.5 8.5H10",
  table: "M2.5 3h11v10h-11zM2.5 6.5h11M2.5 9.8h11M6.5 6.5V13",
  pencil: "M11.2 2.8l2 2L5.5 12.5 2.8 13.2l.7-2.7zM9.6 4.4l2 2",
  archive: "M2.5 3h11v3h-11zM3.5 6v7h9V6M6.5 8.5h3",
  lock: "M4 7.5h8v6H4zM5.5 7.5V5.3a2.5 2.5 0 0 1 5 0v2.2",
  tag: "M2.5 2.5h5.6l5.4 5.4-5.6 5.6-5.4-5.4zM5.4 5.4h.1",
  compare: "M8 2v12M2.5 4h3v8h-3zM10.5 4h3v8h-3z",
  group: "M2.5 3h11M5 6.3h8.5M5 9.7h8.5M2.5 13h11",
  function: "M11.5 2.8c-2 0-2.6.9-2.9 2.7L7.4 11c-.3 1.6-.9 2.4-2.6 2.4M5 6.5h6",
  bell: "M4.3 11V7a3.7 3.7 0 0 1 7.4 0v4l1 1.2H3.3zM6.7 13.8h2.6",
  swap: "M4.5 2.5 2.5 4.7l2 2.2M2.5 4.7h9M11.5 9.1l2 2.2-2 2.2M13.5 11.3h-9",
  chip: "M4.5 4.5h7v7h-7zM6.5 2v2.5M9.5 2v2.5M6.5 11.5V14M9.5 11.5V14M2 6.5h2.5M2 9.5h2.5M11.5 6.5H14M11.5 9.5H14",
  more: "M3.5 8h.1M8 8h.1M12.5 8h.1",
  out: "M9.5 3H13v10H9.5M2.5 8h7M6.5 5l3 3-3 3",
  nested: "M4 2.5v6.3h8M9.3 6 12 8.8l-2.7 2.7",
  branch: "M4.5 5.5v5M4.5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M4.5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M11.5 6.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M11.5 6.5c0 2.5-2 3-7 3.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The bird. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M4 12.5c5-.8 8.4 1 10.6 4.2C16.4 10.8 21 7.4 28 7c-3.8 1.6-6.2 4.2-7 8.2-.9 4.6-3.7 7.4-8 8.3l-3 3.5.4-4.4c-.3-4.6-2.3-7.6-6.4-10.1z" />
    </svg>
  );
}
