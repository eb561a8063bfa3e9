import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { freePorts, nodePorts } from './node-ports.ts';

// What is free is free until a broker listens there, which takes it seconds.
it('hands no port out twice', async () => {
  const nodes = (await nodePorts(9)).flatMap(({ client, internal, controller }) => [
    client,
    internal,
    controller,
  ]);
  const lines = (await Promise.all([freePorts(40), freePorts(40)])).flat();
  expect(new Set([...nodes, ...lines]).size).toBe(27 + 80);
});

it('hands none out that another process has', async () => {
  const file = fileURLToPath(new URL('node-ports.ts', import.meta.url));
  const print = `import { freePorts } from ${JSON.stringify(file)}; console.log((await freePorts(150)).join())`;
  const others = Array.from({ length: 3 }, () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '--eval', print]),
  );
  // Not those of the others: the first may have ended before the last begins.
  const own = new Set(await freePorts(150));
  for (const { stdout } of await Promise.all(others)) {
    const ports = stdout.trim().split(',').map(Number);
    expect(ports).toHaveLength(150);
    expect(ports.filter(port => own.has(port))).toEqual([]);
  }
});
