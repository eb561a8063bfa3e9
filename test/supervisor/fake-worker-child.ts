/** A supervised worker without pipelines, for tests with real processes. Its arguments: its name, and how it behaves. */
import { createServer } from 'node:http';
import { listenForShutdown } from '../../src/worker/shutdown.ts';

const [name, behaviour] = process.argv.slice(2);

if (behaviour === 'wrong-input') {
  process.stderr.write('the input is wrong\n');
  process.exit(2);
}
const shutdown = listenForShutdown(process);
const server = createServer((request, response) => {
  response.end(
    request.url === '/metrics' ? 'stream_running{pipeline="bars"} 1\n' : '{"ready":true,"reasons":[]}',
  );
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  process.send?.({ serving: `http://127.0.0.1:${address.port}` });
});
shutdown.signal.addEventListener('abort', () => {
  process.stdout.write(`${name ?? ''} ${process.pid} drains\n`);
  if (behaviour === 'hanging') return;
  server.close();
  server.closeAllConnections();
  shutdown.remove();
});
