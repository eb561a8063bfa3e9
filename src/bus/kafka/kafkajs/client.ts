import type * as kafkajs from 'kafkajs';
import type { Cluster, Kafka, KafkaConfig } from 'kafkajs';
import type { KafkaSettings } from '../kafka-settings.ts';
import { forgetDeadSockets } from './dead-sockets.ts';
import { stopIdleTimers } from './idle-timers.ts';
import { securityConfig } from './security-config.ts';
import type { Sockets } from './sockets.ts';
import { closeStalledConnections } from './stalled-connections.ts';

/** kafkajs itself. */
export type Client = Omit<typeof kafkajs, 'default'>;

/** Loaded when a bus is started and not before: who uses another backend does not pay for it. */
export async function loadClient(): Promise<Client> {
  const { default: client } = await import('kafkajs');
  stopIdleTimers();
  closeStalledConnections();
  forgetDeadSockets();
  return client;
}

/** A client of a cluster. @throws BusError `unauthorized` where a secret cannot be read */
export function openKafka(client: Client, settings: KafkaSettings, sockets: Sockets): Kafka {
  const { brokers, clientId, security, connectionTimeoutMs, requestTimeoutMs } = settings;
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    connectionTimeout: connectionTimeoutMs,
    authenticationTimeout: connectionTimeoutMs * 2,
    requestTimeout: requestTimeoutMs,
    // What fails is told by exceptions; how long to go on trying is decided above the driver.
    logLevel: client.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 5 },
    ...securityConfig(security, sockets),
  };
  return new client.Kafka(config);
}

/**
 * Connections of their own and what goes over them. kafkajs hands them to whoever assigns partitions, and to nobody
 * else; the consumer that is made for it is never run.
 */
export function clusterOf(kafka: Kafka): Cluster {
  let found: Cluster | undefined;
  kafka.consumer({
    groupId: 'never joined',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster;
        return {
          name: 'none',
          version: 0,
          assign: () => Promise.resolve([]),
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  if (found === undefined) throw new Error('this version of kafkajs hands no cluster to partition assigners');
  return found;
}
