// A question in front of the page. The browser's own dialog keeps the focus inside and closes on Escape.
import { type ReactNode, useEffect, useRef } from "react";
import { IconButton } from "./basics";

export function Dialog(props: { title: string; onClose: () => void; children: ReactNode; wide?: boolean }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={element} className={props.wide ? "dialog wide" : "dialog"} aria-label={props.title}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}>
      <header className="dialog-head">
        <h2>{props.title}</h2>
        <IconButton icon="cross" label="Close" onClick={props.onClose} />
      </header>
      {props.children}
    </dialog>
  );
}
