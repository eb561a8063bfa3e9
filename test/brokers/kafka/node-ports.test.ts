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
