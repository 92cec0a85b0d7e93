// Addresses of blobs: signed by the server for a while, kept until shortly before they run out.
import { useEffect, useState } from "react";
import { ApiError, api } from "../api/client";
import type { BlobRef } from "../api/typed";

const LIFE = 3600; // seconds: a video may be watched for so long
const SETTLE = 80; // milliseconds
const MARGIN = 60e6; // microseconds before its end after which an address is not given out any more

const known = new Map<string, Promise<{ url: string; expires_at: number }>>();

/** An address of this server, whatever name of it the answer holds: the page may load from nowhere else. */
function own(url: string): string {
  const { pathname, search } = new URL(url, location.origin);
  return pathname + search;
}

export async function addressOf(run: string, file: BlobRef, fresh = false): Promise<string> {
  const key = `${run}/${file.blob}/${file.mediaType}/${file.name ?? ""}`;
  const held = fresh ? null : await known.get(key)?.catch(() => null);
  if (held && held.expires_at - Date.now() * 1000 > MARGIN) return own(held.url);
  const asked = api.address(run, file.blob, {
    type: file.mediaType, expires_in_s: LIFE, ...(file.name === null ? {} : { name: file.name }),
  });
  known.set(key, asked);
  return own((await asked).url);
}

export interface Address {
  url: string | null;
  error: ApiError | null;
  /** Asks for a new address once, when the old one does not lead anywhere. */
  failed: () => void;
}

/** A blob's address, asked for while `wanted`. */
export function useAddress(run: string, file: BlobRef, wanted = true): Address {
  const [url, setUrl] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  /** The blob for which a second address was asked for. */
  const [second, setSecond] = useState<string | null>(null);
  const { blob, mediaType, name } = file;
  const again = second === blob;
  const shown = url !== null;
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    const ask = () => addressOf(run, { ...file, blob, mediaType, name }, again).then(
      (found) => {
        if (!current) return;
        setUrl(found);
        setError(null);
      },
      (reason: unknown) => {
        if (!(reason instanceof ApiError)) throw reason;
        if (current) setError(reason);
      },
    );
    // What is drawn past on the way to another step is not asked for.
    const timer = setTimeout(() => void ask(), shown ? SETTLE : 0);
    return () => {
      current = false;
      clearTimeout(timer);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the fields that make the address stand alone
  }, [run, blob, mediaType, name, wanted, again]);
  const failed = () => {
    if (!again) {
      setUrl(null);
      setSecond(blob);
    } else setError(new ApiError(0, "media", "This browser cannot show it.", "Its bytes can be downloaded."));
  };
  return { url, error, failed };
}

/** Saves a blob under its name. */
export async function download(run: string, file: BlobRef, fallback: string): Promise<void> {
  const link = document.createElement("a");
  link.href = await addressOf(run, file);
  link.download = file.name ?? fallback;
  link.rel = "noreferrer";
  link.click();
}
