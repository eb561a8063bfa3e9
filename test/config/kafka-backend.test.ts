import { expect, it } from 'vitest';
import { backendsConfig, shippedBackends } from '../../src/config/backends.ts';
import { formatProblems } from '../../src/config/config-problem.ts';
import type { Environment } from '../../src/config/environment.ts';
import { parseConfig } from '../../src/config/load-config.ts';

function kafka(lines: string, env: Environment = {}): unknown {
  const text = `backends:\n  k:\n    kind: kafka\n${lines.replaceAll(/^/gm, '    ')}\n`;
  const parsed = parseConfig('f', text, backendsConfig(shippedBackends), env);
  return parsed._tag === 'Left' ? formatProblems(parsed.left).split('\n') : parsed.right.value.backends['k'];
}

it('brokers are a list, or a text as one variable can hold', () => {
  expect(kafka('brokers: [a:1, "[::1]:2"]')).toMatchObject({ brokers: ['a:1', '[::1]:2'] });
  expect(kafka('brokers: ${B}', { B: ' a:1, b:2 ' })).toMatchObject({ brokers: ['a:1', 'b:2'] });
});

it('the rest has defaults', () => {
  expect(kafka('brokers: a:1')).toEqual({
    kind: 'kafka',
    brokers: ['a:1'],
    driver: 'kafkajs',
    clientId: 'cryptorun',
    publishing: {
      acks: 'all',
      linger: 0,
      batchMessages: 1000,
      batchSize: 256 * 1024,
      bufferSize: 32 * 1024 ** 2,
      deliveryTimeout: 30_000,
      compression: 'none',
    },
    consuming: {
      sessionTimeout: 30_000,
      rebalanceTimeout: 60_000,
      fetchSize: 1024 ** 2,
      bufferSize: 16 * 1024 ** 2,
      maxWait: 250,
    },
    connectionTimeout: 5000,
    requestTimeout: 30_000,
  });
});

it('secrets are named by their places', () => {
  const sasl = 'sasl: {mechanism: scram-sha-512, username: market, password: {env: KAFKA_PASSWORD}}';
  expect(kafka(`brokers: a:1\nsecurity:\n  tls: {ca: {file: ca.pem}}\n  ${sasl}`)).toMatchObject({
    security: {
      tls: { ca: { file: 'ca.pem' } },
      sasl: { mechanism: 'scram-sha-512', username: 'market', password: { env: 'KAFKA_PASSWORD' } },
    },
  });
});

it.each([
  ['brokers: [a:1, nohost]', /^f:4:20 backends\.k\.brokers\[1\]: "nohost" is no broker, write host:port/],
  ['brokers: nohost', /^f:4:14 .*is no list, .* or a text with brokers, write host:port/],
  ['brokers: []', /^f:4:14 .*is empty, write at least one/],
  ['brokers: ${B}', /^f:4:14 .*\$\{B\} is no list/],
  [
    'brokers: a:1\ndriver: librdkafka',
    /^f:5:13 .*"librdkafka" is not known here, known: kafkajs, platformatic/,
  ],
  ['brokers: a:1\npublishing: {acks: most}', /^f:5:24 .*"most" is not known here, known: all, leader, none/],
  ['brokers: a:1\npublishing: {linger: 5}', /^f:5:26 .*5 has no unit/],
  ['brokers: a:1\nconsuming: {fetchSize: 1B}', /^f:5:28 .*size from 1KB to 1GB/],
  ['brokers: a:1\nconsuming: {sesionTimeout: 3s}', /^f:5:17 .*did you mean sessionTimeout/],
  ['brokers: a:1\nsecurity: {tls: {crt: {file: x}}}', /^f:5:22 .*did you mean cert/],
  ['brokers: a:1\nsecurity: {sasl: {mechanism: magic}}', /^f:5:34 .*known: plain, scram-sha-256/],
  [
    'brokers: a:1\nsecurity: {sasl: {mechanism: oauthbearer, token: {env: A, file: b}}}',
    /^f:5:54 .*is no place of a secret, write \{env: NAME\} or \{file: PATH\}/,
  ],
])('%j is refused at its place', (lines, problem) => {
  expect(kafka(lines, { B: 'here' })).toEqual([expect.stringMatching(problem)]);
});

it.each([
  'security: {sasl: {mechanism: plain, username: me, password: hunter2}}',
  'security: {tls: {key: hunter2}}',
])('a secret written into the file is refused and not repeated: %s', line => {
  const problems = kafka(`brokers: a:1\n${line}`);
  expect(problems).toEqual([expect.stringContaining('write {env: NAME} or {file: PATH}')]);
  expect(String(problems)).not.toContain('hunter2');
});
