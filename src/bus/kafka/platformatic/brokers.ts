import type { API, Connection, metadataV9 } from '@platformatic/kafka';
import type { KafkaSettings } from '../kafka-settings.ts';
import type { Client } from './client.ts';
import { connectionOptions } from './connection-options.ts';

type Metadata = metadataV9.MetadataResponse;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** The nodes of a cluster, with one connection to each that was asked something. */
export class Brokers {
  readonly client: Client;
  readonly #settings: KafkaSettings;
  readonly #requestTimeoutMs: number;
  readonly #bootstrap: readonly Address[];
  readonly #onClosed: () => void;
  /** Of the nodes that the cluster was last said to have. */
  readonly #nodes = new Map<number, Address>();
  readonly #connections = new Map<string, Promise<Connection>>();
  #closed = false;

  /** @param closed told once it is closed */
  constructor(
    client: Client,
    settings: KafkaSettings,
    requestTimeoutMs: number = settings.requestTimeoutMs,
    closed: () => void = () => undefined,
  ) {
    this.client = client;
    this.#onClosed = closed;
    this.#settings = settings;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#bootstrap = settings.brokers.map(addressOf);
  }

  /** As the cluster said them last. */
  get nodes(): readonly number[] {
    return [...this.#nodes.keys()];
  }

  /** Whether nothing can be asked any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  async ask<Args extends unknown[], A>(node: number, api: API<Args, A>, ...args: Args): Promise<A> {
    return api.async(await this.connectionTo(node), ...args);
  }

  /** The connection to a node. @throws Error where the cluster has no such node now, or it cannot be reached */
  async connectionTo(node: number): Promise<Connection> {
    if (!this.#nodes.has(node)) await this.metadata([]);
    const address = this.#nodes.get(node);
    if (address === undefined) throw new Error(`the cluster has no node ${node} now`);
    try {
      return await this.#connectionTo(address);
    } catch (error) {
      // It may be elsewhere by now.
      this.#nodes.delete(node);
      throw error;
    }
  }

  /** Asks one node after another until one answers, be it that it refuses. */
  async askAny<Args extends unknown[], A>(api: API<Args, A>, ...args: Args): Promise<A> {
    let first: unknown;
    for (const address of this.#candidates()) {
      try {
        return await api.async(await this.#connectionTo(address), ...args);
      } catch (error) {
        if (error instanceof this.client.ResponseError || this.#closed) throw error;
        first ??= error;
      }
    }
    throw first;
  }

  /**
   * What the cluster has, in nodes and topics; null for all topics. Of topics and partitions that something is the
   * matter with their `errorCode` tells what.
   */
  async metadata(topics: readonly string[] | null): Promise<Metadata> {
    const answer = await this.#askMetadata(topics);
    this.#nodes.clear();
    for (const { nodeId, host, port } of answer.brokers) this.#nodes.set(nodeId, { host, port });
    return answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#onClosed();
    const all = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.allSettled(all.map(async opening => (await opening).close()));
  }

  async #askMetadata(topics: readonly string[] | null): Promise<Metadata> {
    const { ResponseError, metadataV9 } = this.client;
    try {
      return await this.askAny(metadataV9.api, topics === null ? null : [...topics], false, false, false);
    } catch (error) {
      // What is the matter with one topic makes an error of the whole answer, which is there all the same.
      if (error instanceof ResponseError && isMetadata(error['response'])) return error['response'];
      throw error;
    }
  }

  /** Those that are connected first; then each, so that one whose connection has just gone gets another. */
  #candidates(): readonly Address[] {
    const known = new Map([...this.#nodes.values(), ...this.#bootstrap].map(each => [keyOf(each), each]));
    const connected = [...known].filter(([key]) => this.#connections.has(key)).map(([, address]) => address);
    return [...connected, ...known.values()];
  }

  async #connectionTo(address: Address): Promise<Connection> {
    const key = keyOf(address);
    const opening = this.#connections.get(key) ?? this.#open(key, address);
    const connection = await opening;
    if (isUsable(connection)) return connection;
    // It is on its way out, and has not told yet.
    if (this.#connections.get(key) === opening) this.#connections.delete(key);
    return this.#connections.get(key) ?? this.#open(key, address);
  }

  #open(key: string, { host, port }: Address): Promise<Connection> {
    if (this.#closed) throw new Error('the client is closed');
    const { clientId } = this.#settings;
    const connection = new this.client.Connection(
      clientId,
      connectionOptions(this.#settings, host, this.#requestTimeoutMs),
    );
    const opening = Promise.resolve(connection.connect(host, port)).then(() => connection);
    const forget = (): void => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    };
    connection.on('error', forget);
    connection.on('close', forget);
    opening.catch(forget);
    this.#connections.set(key, opening);
    return opening;
  }
}

function isUsable({ status }: Connection): boolean {
  return status === 'connected' || status === 'reauthenticating';
}

function isMetadata(response: unknown): response is Metadata {
  return typeof response === 'object' && response !== null && 'brokers' in response && 'topics' in response;
}

function keyOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

function addressOf(broker: string): Address {
  const colon = broker.lastIndexOf(':');
  const host = broker.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host, port: Number(broker.slice(colon + 1)) };
}
