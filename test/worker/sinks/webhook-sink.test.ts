import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SinkError } from '../../../src/worker/sinks/notification-sink.ts';
import { type WebhookOptions, webhookSink } from '../../../src/worker/sinks/webhook-sink.ts';
import { context, delivered, notice, traceparent } from './notices.ts';

interface Heard {
  readonly request: IncomingMessage;
  readonly body: string;
}

/** A real server that does as it is told with each request. */
async function receiver(
  answer: (response: ServerResponse) => void,
): Promise<{ heard: Heard[]; host: string }> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', chunk => (body += String(chunk)));
    request.on('end', () => {
      heard.push({ request, body });
      answer(response);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { heard, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end('body');

/** What a delivery fails with. */
async function failure(options: WebhookOptions): Promise<SinkError> {
  const error = await delivered(webhookSink(options).deliver(notice('Entry'), context('id-1'))).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SinkError);
  return error as SinkError;
}

describe('webhookSink', () => {
  it('posts the notification as JSON with its id, twice the same for a repetition', async () => {
    const { heard, host } = await receiver(status(200));
    const sink = webhookSink({ url: `http://${host}/hook?key=1`, headers: { 'x-own': 'yes' } });
    await delivered(sink.deliver(notice('Entry'), context('id-1')));
    await delivered(sink.deliver(notice('Entry'), context('id-1')));
    expect(heard).toHaveLength(2);
    for (const { request, body } of heard) {
      expect([request.method, request.url]).toEqual(['POST', '/hook?key=1']);
      expect(request.headers).toMatchObject({
        'content-type': 'application/json',
        'idempotency-key': 'id-1',
        traceparent,
        'x-own': 'yes',
      });
      expect(JSON.parse(body)).toEqual({ ...notice('Entry'), id: 'id-1' });
    }
  });

  it.each([
    [500, true],
    [503, true],
    [429, true],
    [408, true],
    [404, false],
    [400, false],
    [301, false],
  ])('fails with status %d, worth a retry: %s', async (code, retryable) => {
    const { host } = await receiver(status(code, { location: 'http://elsewhere.invalid/' }));
    const error = await failure({ url: `http://${host}/` });
    expect(error.message).toContain(`http://${host} answered ${code}`);
    expect(error.retryable).toBe(retryable);
  });

  it('passes on how long the other side wants to be left alone', async () => {
    const { host } = await receiver(status(429, { 'retry-after': '7' }));
    expect((await failure({ url: `http://${host}/` })).retryAfterMs).toBe(7_000);
  });

  it('gives up a server that hangs', async () => {
    const { host } = await receiver(() => undefined);
    const { message, retryable } = await failure({ url: `http://${host}/`, timeoutMs: 50 });
    expect(message).toBe(`sink webhook: http://${host}: no answer within 50 ms`);
    expect(retryable).toBe(true);
  });

  it('fails where the server hangs up or is not there', async () => {
    const { host } = await receiver(response => response.destroy());
    expect((await failure({ url: `http://${host}/` })).message).toMatch(/: (UND_ERR_SOCKET|ECONNRESET)$/);
    expect((await failure({ url: 'http://127.0.0.1:1/' })).message).toMatch(/127\.0\.0\.1:1: \w+/);
  });

  it('ends the request when nobody waits for it any more', async () => {
    let closed: (() => void) | undefined;
    const gone = new Promise<void>(resolve => (closed = resolve));
    let arrived: (() => void) | undefined;
    const here = new Promise<void>(resolve => (arrived = resolve));
    const { host } = await receiver(response => {
      response.on('close', () => closed?.());
      arrived?.();
    });
    const subscription = webhookSink({ url: `http://${host}/` })
      .deliver(notice('Entry'), context('id-1'))
      .subscribe();
    await here;
    subscription.unsubscribe();
    await gone;
  });

  it('tells no secret of its URL, and sends user and password as a header', async () => {
    const { heard, host } = await receiver(status(500));
    const url = `http://user:pass%21@${host}/path-secret?token=query-secret`;
    const { message } = await failure({ url });
    expect(message).toBe(`sink webhook: http://${host} answered 500`);
    expect(heard[0]?.request.headers.authorization).toBe(`Basic ${btoa('user:pass!')}`);
    const unreachable = await failure({ url: 'http://user:pass@127.0.0.1:1/path-secret?token=query-secret' });
    expect(unreachable.message).not.toMatch(/secret|user|pass/);
    expect(unreachable.cause).toBeUndefined();
  });

  it.each(['ftp://secret/', 'not a url secret', ''])('refuses the URL "%s" without repeating it', url => {
    expect(() => webhookSink({ url })).toThrow(TypeError);
    expect(() => webhookSink({ url })).toThrow(/^((?!secret).)*$/);
  });
});
