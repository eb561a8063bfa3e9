import * as t from 'io-ts';
import { ask } from '../ask.ts';
import type { Place } from '../place.ts';
import type { ShowOptions } from '../dlq/list-command.ts';
import { readAnswer } from '../wrong-input.ts';

const Partition = t.intersection([
  t.type({
    partition: t.number,
    firstOffset: t.number,
    nextOffset: t.number,
    bytes: t.number,
    perSecond: t.number,
  }),
  t.partial({ leader: t.number, replicas: t.array(t.number), inSync: t.array(t.number) }),
]);
const Info = t.type({
  name: t.string,
  partitions: t.array(Partition),
  groups: t.array(t.type({ group: t.string, partition: t.number, committed: t.number, lag: t.number })),
});
type Partition = t.TypeOf<typeof Partition>;
type Info = t.TypeOf<typeof Info>;

/** Lists every topic, a line each. */
export async function listTopics(place: Place, { json, terminal }: ShowOptions): Promise<void> {
  const answer = await ask(place, 'topics', []);
  if (json) {
    terminal.out(JSON.stringify(answer, null, 2));
    return;
  }
  const infos = readAnswer(t.array(Info), answer);
  const clustered = infos.some(({ partitions }) => partitions.some(({ replicas }) => replicas !== undefined));
  const heading = ['topic', 'partitions', ...(clustered ? ['copies'] : []), 'messages', 'size', '/s'];
  const rows = infos.map(({ name, partitions, groups }) => [
    name,
    String(partitions.length),
    ...(clustered ? [copies(partitions)] : []),
    String(sum(partitions, p => p.nextOffset - p.firstOffset)),
    inMegabytes(sum(partitions, p => p.bytes)),
    rate(sum(partitions, p => p.perSecond)),
    lags(groups),
  ]);
  for (const line of aligned([[...heading, 'groups (lag)'], ...rows])) terminal.out(line);
}

/** Shows one topic, a line a partition. */
export async function showTopic(place: Place, name: string, { json, terminal }: ShowOptions): Promise<void> {
  const answer = await ask(place, 'topic', [name]);
  if (json) {
    terminal.out(JSON.stringify(answer, null, 2));
    return;
  }
  const { partitions, groups } = readAnswer(Info, answer);
  const clustered = partitions.some(({ replicas }) => replicas !== undefined);
  const heading = [
    'partition',
    'first',
    'next',
    'size',
    '/s',
    ...(clustered ? ['leader', 'copies', 'in sync'] : []),
  ];
  const rows = partitions.map(
    ({ partition, firstOffset, nextOffset, bytes, perSecond, leader, replicas, inSync }) => [
      String(partition),
      String(firstOffset),
      String(nextOffset),
      inMegabytes(bytes),
      rate(perSecond),
      ...(clustered ? [leader === undefined ? 'none' : String(leader), ids(replicas), ids(inSync)] : []),
      lags(groups.filter(lag => lag.partition === partition)),
    ],
  );
  for (const line of aligned([[...heading, 'groups (lag)'], ...rows])) terminal.out(line);
}

/** The first column to the left, the last as it is, those between to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  return rows.map(row =>
    row
      .map((cell, column) => {
        if (column === row.length - 1) return cell;
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Copies of each partition, and how many of them lag behind. */
function copies(partitions: readonly Partition[]): string {
  const most = Math.max(...partitions.map(({ replicas = [] }) => replicas.length));
  const lagging = partitions.filter(({ replicas = [], inSync = [] }) => inSync.length < replicas.length);
  return lagging.length === 0 ? String(most) : `${most}, ${lagging.length} behind`;
}

function ids(nodes: readonly number[] | undefined): string {
  return nodes === undefined || nodes.length === 0 ? '-' : nodes.join(',');
}

function sum(partitions: readonly Partition[], of: (partition: Partition) => number): number {
  return partitions.reduce((total, partition) => total + of(partition), 0);
}

function inMegabytes(bytes: number): string {
  return bytes === 0 ? '0' : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

function rate(perSecond: number): string {
  return perSecond === 0 || perSecond >= 10 ? String(Math.round(perSecond)) : perSecond.toFixed(1);
}

function lags(groups: Info['groups']): string {
  const byGroup = new Map<string, number>();
  for (const { group, lag } of groups) byGroup.set(group, (byGroup.get(group) ?? 0) + lag);
  return [...byGroup].map(([group, lag]) => `${group} (${lag})`).join(', ');
}
