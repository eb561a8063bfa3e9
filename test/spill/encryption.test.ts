import { randomBytes } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BusError } from '../../src/core/publisher.ts';
import { openSegmentLog } from '../../src/log/segment-log.ts';
import { BlockCipher } from '../../src/spill/block-cipher.ts';
import { createSpillingPublisher } from '../../src/spill/create-spilling-publisher.ts';
import type { SpillKeySource } from '../../src/spill/spill-key.ts';
import type { SpillOptions } from '../../src/spill/spill-options.ts';
import { Broker, closeNow, openedSpill, temporaryFolder, text } from './temporary-spill.ts';

/** A key of its own in an environment variable of its own. */
function keyInEnvironment(value: string = randomBytes(32).toString('hex')): { readonly env: string } {
  const env = `SPILL_KEY_${randomBytes(4).toString('hex')}`;
  process.env[env] = value;
  onTestFinished(() => void Reflect.deleteProperty(process.env, env));
  return { env };
}

/** A folder in which five messages wait. */
async function folderWith(options: Partial<SpillOptions>): Promise<string> {
  const { broker, send, publisher, clock, runFor, dir } = await openedSpill({
    memoryMessages: 1,
    ...options,
  });
  broker.goAway();
  for (let i = 0; i < 5; i++) send({ ...text(`secret payload ${i}`, 'secret key', 'secret.topic') });
  await runFor(0);
  await closeNow(publisher, clock);
  return dir;
}

const opened = (dir: string, encryptionKey?: SpillKeySource): Promise<unknown> =>
  createSpillingPublisher(new Broker(), { dir, ...(encryptionKey && { encryptionKey }) }).catch(
    (cause: unknown) => cause,
  );

function everythingIn(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

describe('a sealed folder', () => {
  it('shows nothing of its messages, those set aside included, and gives them back with the key', async () => {
    const encryptionKey = keyInEnvironment();
    expect(everythingIn(await folderWith({}))).toContain('secret payload');
    const dir = await folderWith({ encryptionKey });
    const { broker, runFor, publisher } = await openedSpill({ dir, encryptionKey });
    broker.answer = ({ payload }) => (String(payload).endsWith('3') ? 'topic-not-found' : 'stored');
    await runFor(1000);
    expect(broker.texts).toEqual([0, 1, 2, 4].map(n => `secret payload ${n}`));
    expect([...publisher.refused()][0]?.message?.key).toBe('secret key');
    expect(everythingIn(dir)).not.toMatch(/secret/);
  });

  it('is refused with another key, and with none, and neither key is told', async () => {
    const right = keyInEnvironment();
    const wrong = keyInEnvironment();
    const dir = await folderWith({ encryptionKey: right });
    const idOf = ({ env }: { readonly env: string }): string =>
      new BlockCipher(Buffer.from(process.env[env] ?? '', 'hex')).keyId;
    const errors = [await opened(dir, wrong), await opened(dir)];
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'invalid-option' });
      expect(String(error)).toContain(`sealed with the key of id ${idOf(right)}`);
      expect(JSON.stringify(error) + String(error)).not.toContain(process.env[right.env]);
      expect(JSON.stringify(error) + String(error)).not.toContain(process.env[wrong.env]);
    }
    expect(String(errors[0])).toContain(`the key given has the id ${idOf(wrong)}`);
    expect(String(errors[1])).toContain('no key is given');
    expect(await opened(dir, right)).not.toBeInstanceOf(Error);
  });

  it('may hold plain messages of before', async () => {
    const encryptionKey = keyInEnvironment();
    const dir = await folderWith({});
    const sealed = await openedSpill({ dir, encryptionKey, memoryMessages: 1 });
    sealed.broker.goAway();
    await sealed.runFor(10);
    sealed.send(text('later', 'secret key', 'secret.topic'));
    await sealed.runFor(10);
    await closeNow(sealed.publisher, sealed.clock);
    expect(await opened(dir)).toMatchObject({ code: 'invalid-option' });
    const { broker, runFor } = await openedSpill({ dir, encryptionKey });
    await runFor(1000);
    expect(broker.texts).toEqual([...[0, 1, 2, 3, 4].map(n => `secret payload ${n}`), 'later']);
  });

  it('tells what was changed from what needs another key, and keeps it', async () => {
    const encryptionKey = keyInEnvironment();
    const dir = await folderWith({ encryptionKey });
    const log = openSegmentLog(join(dir, 'messages'));
    const records = log
      .read(0, 100)
      .map(({ time, body, offset }) => ({ time, offset, body: Buffer.from(body) }));
    log.close();
    rmSync(join(dir, 'messages'), { recursive: true });
    const last = records.at(-1)?.body;
    // The end of the last payload, before the 16 bytes of the tag.
    if (last !== undefined) last[last.length - 20]! ^= 1;
    const forged = openSegmentLog(join(dir, 'messages'));
    for (const record of records) forged.append([record]);
    forged.close();
    const { broker, runFor, events, publisher } = await openedSpill({ dir, encryptionKey });
    await runFor(1000);
    expect(broker.texts.length).toBe(records.length === 1 ? 0 : 1);
    expect(events.filter(({ tag }) => tag === 'unreadable')).toMatchObject([{ path: join(dir, 'refused') }]);
    expect([...publisher.refused()]).toMatchObject([{ message: undefined }]);
  });

  it('uses no nonce twice: not after a copy, a crash, or a write that failed', async () => {
    const encryptionKey = keyInEnvironment();
    const dir = await folderWith({ encryptionKey });
    const nonces = new Set<string>();
    let blocks = 0;
    for (let life = 0; life < 3; life++) {
      const copy = temporaryFolder();
      cpSync(dir, copy, { recursive: true });
      const { broker, send, runFor } = await openedSpill({ dir: copy, encryptionKey });
      broker.goAway();
      for (let i = 0; i < 20; i++) {
        send(text(`${i}`));
        await runFor(1);
      }
      const log = openSegmentLog(join(copy, 'messages'), { readOnly: true });
      for (const { body } of log.read(0, 1000).slice(life === 0 ? 0 : 2)) {
        blocks++;
        nonces.add(Buffer.from(body.subarray(9, 9 + 16 + 6)).toString('hex'));
      }
      log.close();
    }
    expect(blocks).toBeGreaterThan(50);
    expect(nonces.size).toBe(blocks);
  });
});

describe('a key', () => {
  const key = randomBytes(32);

  it.for(['hex', 'base64', 'base64url'] as const)(
    'is taken as %s, from the environment and from a file',
    async form => {
      const written = key.toString(form);
      const file = join(temporaryFolder(), 'key');
      writeFileSync(file, `${written}\n`);
      const dir = await folderWith({ encryptionKey: { file } });
      const { broker, runFor } = await openedSpill({ dir, encryptionKey: keyInEnvironment(written) });
      await runFor(1000);
      expect(broker.texts).toHaveLength(5);
    },
  );

  it.for(['', 'correct horse battery', 'ab'.repeat(31), 'ab'.repeat(33), key.toString('hex').slice(1)])(
    'that is none is not repeated in the error (%#)',
    async value => {
      const source = keyInEnvironment(value);
      const error = await opened(temporaryFolder(), source);
      if (!(error instanceof BusError)) return expect.fail('it was taken');
      expect(error.code).toBe('invalid-option');
      expect(error.message).toContain(`the environment variable ${source.env} holds no key: 32 bytes`);
      if (value !== '') expect(error.message).not.toContain(value);
      return undefined;
    },
  );

  it('that is not there says where it was looked for', async () => {
    const path = join(temporaryFolder(), 'absent');
    expect(String(await opened(temporaryFolder(), { file: path }))).toContain(`from the file ${path}`);
    expect(String(await opened(temporaryFolder(), { env: 'SPILL_NO_SUCH' }))).toContain(
      'SPILL_NO_SUCH is not set',
    );
  });
});
