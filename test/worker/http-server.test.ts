import { connect } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { HttpRefusal } from '../../src/worker/http-refusal.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../src/worker/http-server.ts';

let server: HttpServer | undefined;
afterEach(() => server?.stop());

async function started(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  server = await startHttpServer({
    ready: () => Promise.resolve({ ready: true, reasons: [], pipelines: [] }),
    metrics: { contentType: 'text/plain; version=0.0.4', text: () => Promise.resolve('up 1\n') },
    ...options,
  });
  return server;
}

/** Sends raw bytes and gives back all that comes until the server hangs up. */
function talk(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let heard = '';
    socket.on('data', chunk => (heard += chunk.toString()));
    socket.on('close', () => resolve(heard));
    socket.on('error', reject);
  });
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe('startHttpServer', () => {
  it('takes a free port, names it, and frees it again', async () => {
    const { port, url, stop } = await started();
    expect(port).toBeGreaterThan(0);
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    await stop();
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  });

  it('says which port is in use and what to do', async () => {
    const { port } = await started();
    const second = startHttpServer({
      port,
      ready: () => Promise.reject(new Error()),
      metrics: { contentType: '', text: () => Promise.resolve('') },
    });
    await expect(second).rejects.toThrow(`http: cannot listen at 127.0.0.1 port ${port}: the port is in use`);
  });

  it('shows readiness with reasons', async () => {
    let report = { ready: false, reasons: ['the worker is starting'], pipelines: [] };
    const { url } = await started({ ready: () => Promise.resolve(report) });
    const notReady = await fetch(`${url}/health/ready`);
    expect(notReady.status).toBe(503);
    expect(await notReady.json()).toEqual({ ready: false, reasons: ['the worker is starting'] });
    report = { ready: true, reasons: [], pipelines: [] };
    expect((await fetch(`${url}/health/ready?now`)).status).toBe(200);
  });

  it('shows metrics, without a body for HEAD', async () => {
    const { url } = await started();
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(await answer.text()).toBe('up 1\n');
    const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', '']);
  });

  it('knows no other path and no other method', async () => {
    const { url } = await started();
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('shows other pages as JSON, and names them to who is lost', async () => {
    const { url } = await started({ pages: { '/workers': () => [{ name: 'w-1' }] } });
    const page = await fetch(`${url}/workers`);
    expect([page.status, await page.json()]).toEqual([200, [{ name: 'w-1' }]]);
    expect((await fetch(`${url}/workers`, { method: 'POST' })).status).toBe(405);
    const lost = await fetch(`${url}/worker`);
    expect([lost.status, await lost.text()]).toEqual([404, expect.stringContaining('/metrics, /workers')]);
  });

  it('answers 500 without telling why, and tells the worker', async () => {
    const problems: unknown[] = [];
    const { url } = await started({
      ready: () => Promise.reject(new Error('secret')),
      failed: (path, error) => problems.push([path, String(error)]),
    });
    const answer = await fetch(`${url}/health/ready?token=1`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('secret');
    expect(problems).toEqual([['/health/ready', 'Error: secret']]);
  });

  it('lets go of a client that does not finish its request', async () => {
    const { port } = await started({ requestTimeoutMs: 40 });
    expect(await talk(port, 'GET /metrics HTTP/1.1\r\nHost: a\r\n')).toContain('408');
  });

  it('ends open connections when it stops', async () => {
    const { port, stop } = await started();
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const closed = new Promise(resolve => socket.once('close', resolve).on('error', resolve));
    await new Promise(resolve => socket.once('connect', resolve));
    await stop();
    await closed;
  });
});

describe('control routes', () => {
  async function controlled(): Promise<{ url: string; token: string; bodies: unknown[] }> {
    const bodies: unknown[] = [];
    const { url, token, control } = await started();
    control('pipelines/pause', body => {
      bodies.push(body);
      return Promise.resolve({ paused: true });
    });
    control('refuse', () => {
      throw new HttpRefusal(409, 'not now');
    });
    return { url: `${url}/control`, token, bodies };
  }
  const post = (url: string, token: string, body?: string): Promise<Response> =>
    fetch(url, { method: 'POST', headers: bearer(token), ...(body !== undefined && { body }) });

  it('takes JSON from who has the token, and answers with JSON', async () => {
    const { url, token, bodies } = await controlled();
    const answer = await fetch(`${url}/pipelines/pause`, {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': 'application/json' },
      body: '{"name":"bars"}',
    });
    expect([answer.status, await answer.json()]).toEqual([200, { paused: true }]);
    const empty = await post(`${url}/pipelines/pause`, token);
    expect(empty.status).toBe(200);
    expect(bodies).toEqual([{ name: 'bars' }, undefined]);
  });

  it.each(['', 'Bearer', 'Bearer wrong', 'Basic abc'])(
    'refuses "%s" before all else',
    async authorization => {
      const { url, bodies } = await controlled();
      for (const name of ['pipelines/pause', 'unknown']) {
        const answer = await fetch(`${url}/${name}`, { method: 'POST', headers: { authorization } });
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      }
      expect(bodies).toEqual([]);
    },
  );

  it('refuses what is no JSON, too large, or no POST', async () => {
    const { url, token, bodies } = await controlled();
    const route = `${url}/pipelines/pause`;
    const statusOf = async (body: string, type = 'application/json'): Promise<number> => {
      const headers = { ...bearer(token), 'content-type': type };
      return (await fetch(route, { method: 'POST', headers, body })).status;
    };
    expect(await statusOf('{')).toBe(400);
    expect(await statusOf('{}', 'text/plain')).toBe(415);
    expect(await statusOf(`"${'x'.repeat(70_000)}"`)).toBe(413);
    expect((await fetch(route, { headers: bearer(token) })).status).toBe(405);
    expect(bodies).toEqual([]);
  });

  it('bounds a body that does not say its size', async () => {
    const { token } = await controlled();
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
    const request = `POST /control/pipelines/pause HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}`;
    expect(await talk(server!.port, request)).toMatch(/^HTTP\/1.1 413 /);
  });

  it('refuses with the status that a handler names, and names the routes there are', async () => {
    const { url, token } = await controlled();
    const refused = await post(`${url}/refuse`, token);
    expect([refused.status, await refused.json()]).toEqual([409, { error: 'not now' }]);
    const unknown = await post(`${url}/unknown`, token);
    expect(unknown.status).toBe(404);
    expect(await unknown.text()).toContain('pipelines/pause, refuse');
  });

  it('takes each name once, and only legal ones', async () => {
    const { control } = await started();
    control('a', () => undefined);
    expect(() => control('a', () => undefined)).toThrow('is there already');
    for (const name of ['', '/a', 'a/', 'A', 'a b', '../a']) {
      expect(() => control(name, () => undefined)).toThrow(RangeError);
    }
  });
});
