import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as t from 'io-ts';
import { projectFolder } from './code-blocks.ts';

const TopicsFile = t.type({
  topics: t.record(
    t.string,
    t.type({ doc: t.string, key: t.string, partitions: t.number, retention: t.string }),
  ),
});

/** The rows that the README's table of topics must have, out of `configs/stream/topics.yaml`. */
export function topicRows(): readonly (readonly string[])[] {
  const yaml: unknown = parse(readFileSync(join(projectFolder, 'configs/stream/topics.yaml'), 'utf8'));
  if (!TopicsFile.is(yaml)) throw new Error('configs/stream/topics.yaml is not as this test expects');
  return Object.entries(yaml.topics).map(([name, { doc, key, partitions, retention }]) => [
    `\`${name.replace(/^cryptorun-/, '')}\``,
    doc,
    key,
    String(partitions),
    retention,
  ]);
}
