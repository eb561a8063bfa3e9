import * as t from 'io-ts';
import { isLeft } from 'fp-ts/lib/Either.js';
import { ask } from '../ask.ts';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { placeOf, placeOptions } from '../place.ts';

const Info = t.type({
  name: t.string,
  partitions: t.array(t.type({ firstOffset: t.number, nextOffset: t.number, bytes: t.number })),
  groups: t.array(t.type({ group: t.string, lag: t.number })),
});

export const topicsCommand: Command = {
  name: 'topics',
  summary: 'Lists the topics of a data folder: messages, bytes, and how far each group is behind',
  options: {
    ...placeOptions,
    json: { type: 'boolean', help: 'as JSON' },
  },
  run: async ({ options, terminal }) => {
    const answer = await ask(placeOf(options), 'topics', []);
    if (options['json'] === true) {
      terminal.out(JSON.stringify(answer, null, 2));
      return 0;
    }
    const infos = t.array(Info).decode(answer);
    if (isLeft(infos))
      throw new CliError(1, 'the answer cannot be read: is the running process of another version?');
    const width = Math.max(...infos.right.map(({ name }) => name.length)) + 2;
    terminal.out(
      `${'topic'.padEnd(width)}${'partitions'.padStart(10)}${'messages'.padStart(12)}${'size'.padStart(12)}  groups (lag)`,
    );
    for (const { name, partitions, groups } of infos.right) {
      const messages = partitions.reduce((sum, p) => sum + p.nextOffset - p.firstOffset, 0);
      const bytes = partitions.reduce((sum, p) => sum + p.bytes, 0);
      const size = inMegabytes(bytes);
      terminal.out(
        `${name.padEnd(width)}${String(partitions.length).padStart(10)}${String(messages).padStart(12)}${size.padStart(12)}  ${lags(groups)}`,
      );
    }
    return 0;
  },
};

function inMegabytes(bytes: number): string {
  return bytes === 0 ? '0' : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

function lags(groups: readonly { readonly group: string; readonly lag: number }[]): string {
  const byGroup = new Map<string, number>();
  for (const { group, lag } of groups) byGroup.set(group, (byGroup.get(group) ?? 0) + lag);
  return [...byGroup].map(([group, lag]) => `${group} (${lag})`).join(', ');
}
