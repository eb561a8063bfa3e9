import * as t from 'io-ts';
import { reasonOf } from '../core/failure.ts';

/** What a worker says of itself. */
export interface Health {
  /** Whether it answered at all. */
  readonly answers: boolean;
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Asks a worker at its URL; never rejects. */
export type Probe = (url: string) => Promise<Health>;

const HealthCodec = t.type({ ready: t.boolean, reasons: t.readonlyArray(t.string) });

/** How long a worker may take to answer, ms. */
const answerMs = 5_000;

/** Asks for `/health/ready`. */
export const probeHttp: Probe = async url => {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(answerMs) });
    const answer: unknown = await response.json();
    if (HealthCodec.is(answer)) return { ...answer, answers: true };
    return { answers: true, ready: false, reasons: ['its answer is no health report'] };
  } catch (error) {
    return { answers: false, ready: false, reasons: [`it does not answer: ${reasonOf(error)}`] };
  }
};

/** The page of metrics of a worker; empty where it cannot be had. */
export async function metricsOf(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(answerMs) });
    return response.ok ? await response.text() : '';
  } catch {
    return '';
  }
}
