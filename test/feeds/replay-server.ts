import { once } from 'node:events';
import { type WebSocket, WebSocketServer } from 'ws';

/** What the server does next: sends a text, ends the connection, or is silent from there on. */
export type Step = { readonly send: string } | 'drop' | 'stall';

export const send = (text: string): Step => ({ send: text });

export interface ReplayServer {
  readonly url: string;
  /** Frames that clients sent, by connection. */
  readonly received: readonly (readonly string[])[];
  /** Goes on with a connection that stalls. */
  say(connection: number, text: string): void;
  close(): Promise<void>;
}

/**
 * A venue on this machine that plays recorded frames.
 * @param script what to do on each connection, by its number from 0
 * @param awaits frames that a client must send before the script begins
 * @param answer what to send back for a later frame of the client
 */
export async function replayServer(
  script: (connection: number) => readonly Step[],
  awaits = 1,
  answer: (frame: string) => readonly string[] = () => [],
): Promise<ReplayServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const received: string[][] = [];
  const sockets: WebSocket[] = [];
  server.on('connection', socket => {
    const frames: string[] = [];
    const steps = script(received.push(frames) - 1);
    sockets.push(socket);
    socket.on('message', (data: Buffer) => {
      frames.push(data.toString());
      if (frames.length === awaits) play(socket, steps);
      else if (frames.length > awaits) for (const text of answer(data.toString())) socket.send(text);
    });
    if (awaits === 0) play(socket, steps);
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    url: `ws://127.0.0.1:${port}`,
    received,
    say: (connection, text) => sockets[connection]?.send(text),
    async close(): Promise<void> {
      for (const socket of sockets) socket.terminate();
      await new Promise<void>(resolve => server.close(() => resolve()));
    },
  };
}

function play(socket: WebSocket, steps: readonly Step[]): void {
  for (const step of steps) {
    if (step === 'stall') return;
    if (step === 'drop') {
      socket.close(1011);
      return;
    }
    socket.send(step.send);
  }
}
