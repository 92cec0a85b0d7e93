// A value that changes often, handed on now and then.
import { useEffect, useRef, useState } from "react";

/** The value as it was at most `every` milliseconds ago: the first change after a rest at once, those that follow it together. */
export function usePaced<T>(value: T, every: number): T {
  const [shown, setShown] = useState(value);
  const latest = useRef(value);
  const free = useRef(0); // before this time nothing is handed on
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => {
    latest.current = value;
    if (timer.current !== undefined) return;
    const wait = free.current - performance.now();
    const hand = () => {
      timer.current = undefined;
      free.current = performance.now() + every;
      setShown(latest.current);
    };
    if (wait <= 0) hand();
    else timer.current = setTimeout(hand, wait);
  }, [value, every]);
  useEffect(() => () => {
    clearTimeout(timer.current);
    timer.current = undefined;
  }, []);
  return shown;
}
