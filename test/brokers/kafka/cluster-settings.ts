import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerSettings } from './broker-storage.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { type ClientLine, openLines } from './client-lines.ts';
import { nodePorts } from './node-ports.ts';
import { type KafkaSecurity, securityProperties } from './security.ts';
import { type Properties, serverProperties } from './server-properties.ts';

export interface ClusterOptions {
  /** Nodes, each broker and controller in one; 1 by default. */
  readonly brokers?: number;
  /** Where clients connect to the first broker, to the others at the ports after it; free ones by default. */
  readonly port?: number;
  /** Keeps the data there, and goes on with what is there, users of SCRAM too; a temporary folder by default. */
  readonly folder?: string;
  /** None by default. */
  readonly security?: KafkaSecurity;
  /** Settings of the brokers that come before the usual ones. */
  readonly properties?: Properties;
  /**
   * For brokers that live for long, or are measured: Java compiles well what they do often, which takes one and a half
   * times as much of the processor to start. Of several brokers, which share the cores, none does.
   */
  readonly compiledWell?: boolean;
  /** So many further ways for clients into the cluster, each with a network that can fail on its own; default 0. */
  readonly lines?: number;
}

/** Of those that Java has it stops a broker with a small heap, on cores that it shares, for the shortest. */
const collector = '-XX:+UseParallelGC';
/** A broker that lives for minutes, on cores that it shares, spends more on compiling well than that saves. */
const compiledSoon = '-XX:TieredStopAtLevel=1';

/** The settings of each broker of a cluster, and what is shared by them. */
export async function clusterSettings(
  options: ClusterOptions,
  java: Pick<BrokerSettings, 'jars' | 'classArchive'>,
  folder: string,
): Promise<{
  settings: BrokerSettings[];
  certificates: Certificates | undefined;
  lines: readonly ClientLine[];
}> {
  const { brokers: count = 1, security = {}, properties, compiledWell = false } = options;
  await mkdir(folder, { recursive: true });
  const before = (await readdir(folder)).filter(name => /^broker-\d+$/.test(name)).length;
  if (before > 0 && before !== count)
    throw new Error(`${folder} holds the data of ${before} brokers, not ${count}`);
  const names = (security.users ?? []).map(({ name }) => name);
  const certificates =
    security.tls === undefined ? undefined : await makeCertificates(join(folder, 'tls'), names);
  const nodes = await nodePorts(count, options.port);
  const { lines, propertiesOf } = await openLines(options.lines ?? 0, count);
  const settings = nodes.map(({ client }, at) => {
    const own = join(folder, `broker-${at + 1}`);
    const usual = {
      ...serverProperties(at + 1, nodes, own),
      ...securityProperties(security, certificates),
    };
    return {
      address: `127.0.0.1:${client}`,
      folder: own,
      temporary: options.folder === undefined ? folder : undefined,
      ...java,
      jvm: [
        ...[collector, ...(count === 1 ? ['-Xms256m', '-Xmx512m'] : ['-Xmx384m'])],
        ...(count === 1 && compiledWell ? [] : [compiledSoon]),
      ],
      properties: { ...usual, ...propertiesOf(at, usual), ...properties },
    };
  });
  return { settings, certificates, lines };
}
