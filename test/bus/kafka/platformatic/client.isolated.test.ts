import { expect, it, vi } from 'vitest';
import { createEventBus } from '../../../../src/backends.ts';

const absent = Object.assign(new Error("Cannot find package '@platformatic/kafka'"), {
  code: 'ERR_MODULE_NOT_FOUND',
});
vi.mock('@platformatic/kafka', () => {
  throw absent;
});

it('without its package the driver says at start what to install, and a driver that is none is refused', async () => {
  const bus = createEventBus({ kind: 'kafka', brokers: ['127.0.0.1:1'], driver: 'platformatic' });
  await expect(bus.start()).rejects.toMatchObject({
    code: 'unsupported-capability',
    message: expect.stringContaining('npm install @platformatic/kafka@^2.12') as string,
  });
  const unknown = { kind: 'kafka', brokers: ['127.0.0.1:1'], driver: 'librdkafka' } as never;
  expect(() => createEventBus(unknown)).toThrow(/kafka\.driver.*librdkafka.*kafkajs or platformatic/);
});
