import type { BookKeeper } from '../book-keeper.ts';
import { FrameSink } from './frame-sink.ts';
import type { Accepted, Normaliser } from './venue.ts';

/** The part of a normaliser that differs between venues. */
export interface FrameHandler {
  /** False where the frame is none that the venue is known to send. */
  readonly handle: (frame: unknown, out: FrameSink) => boolean;
  /** False where the answer is of no use. */
  readonly handleRest?: (url: string, frame: unknown, out: FrameSink) => boolean;
  readonly reset?: () => void;
  readonly books?: BookKeeper;
  /** Default `JSON.parse`. */
  readonly parse?: (text: string) => unknown;
}

function parsed(text: string, parse: (text: string) => unknown): { readonly frame: unknown } | string {
  try {
    return { frame: parse(text) };
  } catch (error) {
    return `the frame is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** A normaliser of frames that are JSON texts, around a venue's handler. */
export function jsonNormaliser(venue: string, handler: FrameHandler): Normaliser {
  const out = new FrameSink(venue);
  const run = (
    text: string,
    use: (frame: unknown) => boolean,
    parse: (text: string) => unknown,
  ): Accepted => {
    const result = parsed(text, parse);
    if (typeof result === 'string') out.malformed(result);
    else if (!use(result.frame)) out.malformed('a frame of a kind that is not known');
    out.close();
    return { items: out.items, controls: out.controls };
  };
  return {
    accept(text, receivedAt, place): Accepted {
      out.open(text, receivedAt, place);
      return run(text, frame => handler.handle(frame, out), handler.parse ?? JSON.parse);
    },
    acceptRest(url, text, receivedAt, place): Accepted {
      out.open(text, receivedAt, place);
      const { handleRest } = handler;
      if (handleRest === undefined) return { items: [], controls: [] };
      return run(text, frame => (handleRest(url, frame, out), true), JSON.parse);
    },
    reset(): void {
      handler.books?.reset();
      handler.reset?.();
    },
    stats: out.counts,
  };
}
