import { type AttemptsRecord, changelogOf } from '../../src/runtime/snapshot-format.ts';
import type { PipelineDriver } from '../../src/testing/index.ts';

/** What the changelog of a pipeline holds of attempts, by `topic/partition/offset`. */
export function storedAttempts(
  driver: PipelineDriver,
  pipeline: string,
): ReadonlyMap<string, AttemptsRecord> {
  const changelog = changelogOf(pipeline);
  const stored = new Map<string, AttemptsRecord>();
  for (const { key, payload } of driver.messages(changelog)) {
    if (key?.startsWith('attempts/retryWithBackoff/') !== true) continue;
    const place = key.split('/').slice(2).join('/');
    const decoded = payload && changelog.codec.decode(payload);
    if (decoded?._tag === 'Right' && decoded.right.kind === 'attempts') stored.set(place, decoded.right);
    else stored.delete(place);
  }
  return stored;
}
