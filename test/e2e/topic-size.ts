import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of a topic in a data folder, whoever has it open. */
export function topicSize(dir: string, name: string): number {
  const topic = join(dir, 'topics', name);
  return readdirSync(topic, { recursive: true, encoding: 'utf8' })
    .map(file => statSync(join(topic, file), { throwIfNoEntry: false }))
    .reduce((sum, stat) => sum + (stat?.isFile() === true ? stat.size : 0), 0);
}
