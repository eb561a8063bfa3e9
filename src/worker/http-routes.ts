import type { IncomingMessage } from 'node:http';
import { carriesToken } from './bearer-token.ts';
import { HttpRefusal } from './http-refusal.ts';
import { readJson } from './json-body.ts';
import type { MetricsPage } from './prometheus.ts';
import type { ReadinessReport } from './readiness.ts';

/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Does what a control route is for, given the request's JSON; what it returns is sent back as JSON.
 * Throws {@link HttpRefusal} to refuse with a status of its own.
 */
export type ControlHandler = (body: unknown) => unknown;

/** What the server shows. */
export interface HttpContent {
  readonly ready: () => Promise<Pick<ReadinessReport, 'ready' | 'reasons'>>;
  readonly metrics: MetricsPage;
  /** What else is shown as JSON, by path. */
  readonly pages?: Readonly<Record<string, () => unknown>>;
}

const controlPrefix = '/control/';

/** Answers requests, whoever listens for them. */
export class HttpRoutes {
  readonly #content: HttpContent;
  readonly #token: string;
  readonly #controls = new Map<string, ControlHandler>();

  constructor(content: HttpContent, token: string) {
    this.#content = content;
    this.#token = token;
  }

  /** @throws RangeError where the name is not made of small letters, digits, hyphens and slashes, or is taken */
  control(name: string, handler: ControlHandler): void {
    if (!/^[a-z0-9-]+(\/[a-z0-9-]+)*$/.test(name)) {
      throw new RangeError(`control route "${name}": use small letters, digits, hyphens and slashes between`);
    }
    if (this.#controls.has(name)) throw new RangeError(`control route "${name}" is there already`);
    this.#controls.set(name, handler);
  }

  async answer(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    switch (path) {
      case '/health/live':
        return onlyRead(request) ?? json(200, { live: true });
      case '/health/ready':
        return onlyRead(request) ?? readiness(await this.#content.ready());
      case '/metrics':
        return onlyRead(request) ?? this.#metrics();
      default:
        return path.startsWith(controlPrefix)
          ? this.#control(path.slice(controlPrefix.length), request)
          : this.#page(path, request);
    }
  }

  #page(path: string, request: IncomingMessage): Answer {
    const { pages = {} } = this.#content;
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page !== undefined) return onlyRead(request) ?? json(200, page());
    const known = ['/health/live', '/health/ready', '/metrics', ...Object.keys(pages)].join(', ');
    return refusal(404, `nothing here: there are ${known} and /control/...`);
  }

  async #metrics(): Promise<Answer> {
    const { contentType, text } = this.#content.metrics;
    return { status: 200, contentType, body: await text() };
  }

  /** Without the token nobody learns which routes there are. */
  async #control(name: string, request: IncomingMessage): Promise<Answer> {
    if (!carriesToken(request.headers.authorization, this.#token)) {
      const answer = refusal(401, "send the worker's token: authorization: Bearer <token>");
      return { ...answer, headers: { 'www-authenticate': 'Bearer' } };
    }
    const handler = this.#controls.get(name);
    if (handler === undefined) {
      return refusal(
        404,
        `no control route of this name: there are ${[...this.#controls.keys()].join(', ')}`,
      );
    }
    if (request.method !== 'POST') return notAllowed('POST');
    return json(200, (await handler(await readJson(request))) ?? {});
  }
}

/** The answer to a request that failed. */
export function failedAnswer(error: unknown): Answer {
  if (error instanceof HttpRefusal) return refusal(error.status, error.message);
  return refusal(500, 'the worker could not answer; its log says why');
}

function onlyRead(request: IncomingMessage): Answer | undefined {
  return request.method === 'GET' || request.method === 'HEAD' ? undefined : notAllowed('GET, HEAD');
}

function notAllowed(allow: string): Answer {
  return { ...refusal(405, `use ${allow}`), headers: { allow } };
}

function refusal(status: number, error: string): Answer {
  return json(status, { error });
}

function readiness({ ready, reasons }: Pick<ReadinessReport, 'ready' | 'reasons'>): Answer {
  return json(ready ? 200 : 503, { ready, reasons });
}

function json(status: number, value: unknown): Answer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}
