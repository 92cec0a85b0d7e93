// A text that is changed where it stands, from the moment its field was opened.

export interface Draft {
  /** The text when the field was opened: what others write meanwhile does not count as changed here. */
  opened: string;
  text: string;
}

/** What is to be saved; null where nothing was changed. Blanks at the ends are not kept. */
export function toSave({ opened, text }: Draft): string | null {
  const kept = text.trim();
  return text === opened || kept === opened.trim() ? null : kept;
}
