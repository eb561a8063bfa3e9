import type { DeadLetter } from '../core/dead-letter.ts';
import { failedAt, kindOf } from './letter-group.ts';

/** Which letters are meant: those to which all that is given applies. */
export interface LetterSelection {
  /** The letter's id, or how it begins. */
  readonly id?: string;
  /** The id of a group, or how it begins. */
  readonly group?: string;
  /** The pipeline in which it failed. */
  readonly pipeline?: string;
  /** The key of the message. */
  readonly key?: string;
  /** Failed for the last time at or after this, ms. */
  readonly since?: number;
  /** Failed for the last time before this, ms. */
  readonly until?: number;
}

/** Whether a letter is meant. */
export function isSelected(letter: DeadLetter, selection: LetterSelection): boolean {
  const { id, group, pipeline, key, since = -Infinity, until = Infinity } = selection;
  if (id !== undefined && !letter.id.startsWith(id)) return false;
  if (pipeline !== undefined && letter.pipeline !== pipeline) return false;
  if (key !== undefined && letter.key !== key) return false;
  const at = failedAt(letter);
  if (at < since || at >= until) return false;
  return group === undefined || kindOf(letter).id.startsWith(group);
}
