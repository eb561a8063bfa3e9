import { isRight } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { Candidate } from './sticky-assignment.ts';

/** Who joins, and under what name others of its process join too. */
export interface ProcessIdentity {
  readonly instance: string;
  readonly rank: number;
  readonly exclusive: boolean;
}

const Introduction = t.type({
  instance: t.string,
  rank: t.number,
  exclusive: t.boolean,
  owned: t.record(t.string, t.array(t.number)),
});

/** What a member tells whoever assigns, beside the topics that it reads. */
export function introductionOf(identity: ProcessIdentity, owned: Candidate['owned']): Buffer {
  return Buffer.from(JSON.stringify({ ...identity, owned }));
}

/** A member as it has introduced itself; of one that has not, nothing is known but its topics. */
export function candidateOf(
  member: string,
  topics: readonly string[],
  introduction: Uint8Array | undefined,
): Candidate {
  const told = Introduction.decode(parsed(introduction));
  const known = isRight(told) ? told.right : { instance: member, rank: 0, exclusive: false, owned: {} };
  return { member, topics, ...known };
}

function parsed(introduction: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(introduction ?? []).toString());
  } catch {
    return undefined;
  }
}
