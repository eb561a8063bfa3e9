/** A member of a group as it introduces itself. */
export interface Candidate {
  readonly member: string;
  readonly topics: readonly string[];
  /** The process that it belongs to, and the how-manieth of it. */
  readonly instance: string;
  readonly rank: number;
  /** Whether it is to have all partitions of its topics or none. */
  readonly exclusive: boolean;
  /** The partitions that it holds, by topic. */
  readonly owned: Readonly<Record<string, readonly number[]>>;
}

/** Partitions by topic, by member. */
export type Assignments = ReadonlyMap<string, Readonly<Record<string, readonly number[]>>>;

/** A place to be given partitions: the n-th member of a process among those that read a topic. */
interface Seat {
  readonly name: string;
  readonly candidate: Candidate;
}

/**
 * Who gets what: of each topic every member as much as any other, give or take one partition, or where one wants all
 * or nothing whoever has most has all; whoever holds a
 * partition keeps it as far as that allows; and topics of equal partition counts that the same processes read are
 * shared out alike, so that what belongs together by key is in one process.
 */
export function assignPartitions(
  candidates: readonly Candidate[],
  partitionCounts: ReadonlyMap<string, number>,
): Assignments {
  const assigned = new Map<string, Record<string, number[]>>(candidates.map(({ member }) => [member, {}]));
  const plans = new Map<string, readonly number[]>();
  for (const [topic, count] of [...partitionCounts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const seats = seatsOf(candidates, topic);
    if (seats.length === 0) continue;
    const alike = `${count} ${seats.map(({ name }) => name).join()}`;
    const holders = holdersOf(seats, topic, count);
    const isExclusive = seats.some(({ candidate }) => candidate.exclusive);
    const plan =
      plans.get(alike) ??
      (isExclusive ? holders.map(() => mostOf(holders, seats.length)) : share(count, seats.length, holders));
    plans.set(alike, plan);
    plan.forEach((seat, partition) => {
      const mine = assigned.get(seats[seat]?.candidate.member ?? '');
      if (mine) mine[topic] = [...(mine[topic] ?? []), partition];
    });
  }
  return assigned;
}

function seatsOf(candidates: readonly Candidate[], topic: string): readonly Seat[] {
  const readers = candidates
    .filter(({ topics }) => topics.includes(topic))
    .sort((a, b) => compare(a.instance, b.instance) || a.rank - b.rank || compare(a.member, b.member));
  const seen = new Map<string, number>();
  return readers.map(candidate => {
    const n = seen.get(candidate.instance) ?? 0;
    seen.set(candidate.instance, n + 1);
    return { name: `${candidate.instance}#${n}`, candidate };
  });
}

/** The seat that holds each partition, where one does. */
function holdersOf(seats: readonly Seat[], topic: string, count: number): readonly (number | undefined)[] {
  const holders = new Array<number | undefined>(count).fill(undefined);
  seats.forEach(({ candidate }, seat) => {
    for (const partition of candidate.owned[topic] ?? []) if (partition < count) holders[partition] ??= seat;
  });
  return holders;
}

/** The seat of each partition: holders first, then whoever has least. */
function share(count: number, seats: number, holders: readonly (number | undefined)[]): readonly number[] {
  const [fewest, larger] = [Math.floor(count / seats), count % seats];
  const loads = new Array<number>(seats).fill(0);
  const isFull = (seat: number): boolean => {
    const load = loads[seat] ?? 0;
    if (load < fewest) return false;
    return load > fewest || loads.filter(each => each > fewest).length >= larger;
  };
  const plan = holders.map(seat => {
    if (seat === undefined || isFull(seat)) return undefined;
    loads[seat] = (loads[seat] ?? 0) + 1;
    return seat;
  });
  return Array.from(plan, seat => {
    if (seat !== undefined) return seat;
    const least = loads.indexOf(Math.min(...loads));
    loads[least] = (loads[least] ?? 0) + 1;
    return least;
  });
}

/** The seat that holds most; the first, where none holds anything. */
function mostOf(holders: readonly (number | undefined)[], seats: number): number {
  const loads = Array.from({ length: seats }, (_, seat) => holders.filter(holder => holder === seat).length);
  return loads.indexOf(Math.max(...loads));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
