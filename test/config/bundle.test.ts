import { expect, it } from 'vitest';
import { loadBackends, shippedBackends } from '../../src/config/backends.ts';
import { bundleConfig } from '../../src/config/bundle.ts';
import { loadConfig, parseConfig } from '../../src/config/load-config.ts';

const configs = new URL('../../configs/', import.meta.url).pathname;

it.each([
  ['main', ['bars', 'liquidity', 'momentum', 'regime', 'gates', 'signals', 'notifications', 'retries']],
  ['scoring', ['bars', 'momentum', 'regime']],
  ['signals', ['liquidity', 'gates', 'signals', 'notifications']],
])('the shipped bundle %s names its pipelines', (name, pipelines) => {
  const file = `${configs}bundles/${name}.yaml`;
  const loaded = loadConfig(file, bundleConfig(shippedBackends), { CRYPTORUN_PORT: '0' });
  expect(loaded).toMatchObject({
    right: {
      name,
      backend: 'embedded',
      pipelines: pipelines.map(pipeline => ({ name: pipeline })),
      http: { host: '127.0.0.1', port: 0 },
      drainDeadline: 30_000,
      snapshotInterval: 10_000,
    },
  });
});

it('the shipped backends can be moved by the environment', () => {
  const loaded = loadBackends(`${configs}stream/backends.yaml`, shippedBackends, { CRYPTORUN_DIR: '/data' });
  expect(loaded).toMatchObject({
    right: {
      backends: {
        stub: { kind: 'stub', maxPartitionBytes: 512 * 1024, publishTimeout: 30_000 },
        embedded: { kind: 'embedded', dir: '/data', fsync: 'interval', segmentSize: 64 * 1024 ** 2 },
      },
    },
  });
});

it('a bundle may hold its backend itself, and has a default for the rest', () => {
  const text =
    'name: small\nbackend: {kind: stub}\npipelines: [{name: bars, maxInFlightBytes: 1MB, redrivenRemembered: 50000, standbyBytes: 64MB}]\n';
  expect(parseConfig('f', text, bundleConfig(shippedBackends), {})).toMatchObject({
    right: {
      value: {
        backend: { kind: 'stub', maxPartitionBytes: 512 * 1024 },
        pipelines: [
          {
            name: 'bars',
            maxInFlightBytes: 1024 ** 2,
            redrivenRemembered: 50_000,
            standbyBytes: 64 * 1024 ** 2,
          },
        ],
        feeds: [],
        http: { host: '127.0.0.1', port: 9090 },
        logLevel: 'info',
      },
    },
  });
});
