/** What every failure says, whatever its kind. */
interface FailureBase {
  /** The name of the operator in which it happened. */
  readonly stage: string;
  /** In words, for people. */
  readonly reason: string;
  /** How often the message has been tried, this time included; from 1. */
  readonly attempts: number;
  /** Event-loop time of the first and the last failure, ms, by the scheduler's clock. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Whether the same message may succeed when tried again. */
  readonly retryable: boolean;
  readonly cause?: unknown;
}

/** The payload is not what the topic's codec expects; it will not be the next time either. */
export interface DecodeFailure extends FailureBase {
  readonly tag: 'decode';
  readonly codec: string;
}

/** An output could not be turned into bytes. */
export interface EncodeFailure extends FailureBase {
  readonly tag: 'encode';
  readonly codec: string;
}

/** The user's code threw, rejected, or errored. */
export interface HandleFailure extends FailureBase {
  readonly tag: 'handle';
}

/** The broker did not take an output; `code` is the bus error's. */
export interface PublishFailure extends FailureBase {
  readonly tag: 'publish';
  readonly code: string;
  readonly topic: string;
}

/** The message was too old, or took longer than it may. */
export interface ExpiredFailure extends FailureBase {
  readonly tag: 'expired';
  readonly limitMs: number;
}

/** A circuit breaker refused to try. */
export interface CircuitOpenFailure extends FailureBase {
  readonly tag: 'circuit-open';
}

/** A bounded buffer had no room and its policy was to refuse. */
export interface OverflowFailure extends FailureBase {
  readonly tag: 'overflow';
  readonly limit: number;
}

/** Why a delivery stopped: a closed union, told apart by `tag`. */
export type Failure =
  | DecodeFailure
  | EncodeFailure
  | HandleFailure
  | PublishFailure
  | ExpiredFailure
  | CircuitOpenFailure
  | OverflowFailure;

export type FailureTag = Failure['tag'];

/** What is thrown, in words: an error's message, or the value itself as text. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'string' ? error : String(error);
}

/** A {@link HandleFailure} for what a handler threw. */
export function handleFailure(stage: string, error: unknown, attempts: number, now: number): HandleFailure {
  return {
    tag: 'handle',
    stage,
    reason: reasonOf(error),
    attempts,
    firstAt: now,
    lastAt: now,
    retryable: true,
    cause: error,
  };
}
