// A store that lives as long as a component shows it: opened with it, closed with it.
import { useEffect, useState } from "react";

interface Closable {
  close(): void;
}

/** Makes a store when the component appears and whenever `inputs` change; null for the moment before. */
export function useOwned<T extends Closable>(make: () => T, inputs: readonly unknown[]): T | null {
  const [owned, setOwned] = useState<T | null>(null);
  // `make` is a new function each time; the inputs decide.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  useEffect(() => {
    const made = make();
    setOwned(made);
    return () => {
      made.close();
      setOwned(null);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, inputs);
  return owned;
}
