import { type Assignments, type Candidate, assignPartitions } from './sticky-assignment.ts';

/**
 * Who gets what of a group whose members go on reading while it is shared out anew: as {@link assignPartitions} has
 * it, but what another still holds is nobody's until that one has given it up, and joined again.
 */
export function assignCooperatively(
  candidates: readonly Candidate[],
  partitionCounts: ReadonlyMap<string, number>,
): Assignments {
  const holders = new Map<string, string>();
  for (const { member, owned } of candidates) {
    for (const [topic, partitions] of Object.entries(owned)) {
      for (const partition of partitions) holders.set(`${topic}/${partition}`, member);
    }
  }
  const isFree = (member: string, topic: string, partition: number): boolean =>
    (holders.get(`${topic}/${partition}`) ?? member) === member;
  return new Map(
    [...assignPartitions(candidates, partitionCounts)].map(([member, wanted]) => [
      member,
      Object.fromEntries(
        Object.entries(wanted).map(([topic, partitions]) => [
          topic,
          partitions.filter(partition => isFree(member, topic, partition)),
        ]),
      ),
    ]),
  );
}
