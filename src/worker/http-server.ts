import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomToken } from './bearer-token.ts';
import {
  type Answer,
  type ControlHandler,
  type HttpContent,
  HttpRoutes,
  failedAnswer,
} from './http-routes.ts';
import { HttpRefusal } from './http-refusal.ts';
import { ListenError } from './listen-error.ts';

export interface HttpServerOptions extends HttpContent {
  /** Default `127.0.0.1`: nobody from outside. */
  readonly host?: string;
  /** 0 (default) takes a free one. */
  readonly port?: number;
  /** How long a client may take to send its request, ms; default 10 000. */
  readonly requestTimeoutMs?: number;
  /** Connections at once; default 64. */
  readonly maxConnections?: number;
  /** Told of requests that failed for no fault of who asked. */
  readonly failed?: (path: string, error: unknown) => void;
}

/** A running server. */
export interface HttpServer {
  readonly host: string;
  /** The port it really listens at. */
  readonly port: number;
  readonly url: string;
  /** What control requests must carry; made anew at each start, never logged. */
  readonly token: string;
  /** Adds `POST /control/<name>`. @throws RangeError for an illegal name or one that is taken */
  readonly control: (name: string, handler: ControlHandler) => void;
  /** Ends every connection and frees the port. */
  readonly stop: () => Promise<void>;
}

/**
 * Serves health, metrics and control: `GET /health/live`, `GET /health/ready` (503 with reasons while the worker
 * is not ready), `GET /metrics`, `POST /control/<name>`.
 *
 * @throws ListenError where the address cannot be had
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', port = 0, requestTimeoutMs = 10_000, maxConnections = 64 } = options;
  const token = randomToken();
  const routes = new HttpRoutes(options, token);
  const server = createServer(
    {
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: Math.min(1_000, Math.ceil(requestTimeoutMs / 4)),
    },
    (request, response) => {
      void handle(routes, request, response, options.failed);
    },
  );
  server.maxConnections = maxConnections;
  // Also whoever does not read the answer is let go.
  server.setTimeout(2 * requestTimeoutMs);
  await listening(server, host, port);
  const { port: realPort } = server.address() as AddressInfo;
  return {
    host,
    port: realPort,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${realPort}`,
    token,
    control: (name, handler) => routes.control(name, handler),
    stop: () => stopped(server),
  };
}

async function handle(
  routes: HttpRoutes,
  request: IncomingMessage,
  response: ServerResponse,
  failed: HttpServerOptions['failed'],
): Promise<void> {
  let answer: Answer;
  try {
    answer = await routes.answer(request);
  } catch (error) {
    if (!(error instanceof HttpRefusal)) failed?.((request.url ?? '/').split('?', 1)[0] ?? '/', error);
    answer = failedAnswer(error);
  }
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    // What is left of a body that was not read must not be taken for the next request.
    ...(!request.complete && { connection: 'close' }),
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(new ListenError(host, port, error));
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

function stopped(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
