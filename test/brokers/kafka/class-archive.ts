import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBroker } from './broker-process.ts';
import { type BrokerSettings, prepareStorage } from './broker-storage.ts';
import { nodePorts } from './node-ports.ts';
import { securityProperties } from './security.ts';
import { serverProperties } from './server-properties.ts';

/**
 * Options with which Java takes Kafka's classes as it had them in memory before, and not out of jars: a broker starts in
 * half the time. The archive is written beside the jars, at the first call, by a broker that only comes and goes.
 */
export async function classArchiveOptions(
  jars: string,
  report: (what: string) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const archive = `${jars}.jsa`;
  if (!existsSync(archive)) {
    report("keeping Kafka's classes as Java wants them, once");
    await writeArchive(jars, archive, signal);
  }
  // An empty one is of a Java that writes none.
  return statSync(archive).size === 0 ? [] : [`-XX:SharedArchiveFile=${archive}`];
}

async function writeArchive(jars: string, archive: string, signal: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kafka-classes-'));
  // Java ends at half an archive: it gets its name when it is whole, and whoever comes second replaces the same.
  const writing = `${archive}.${randomUUID()}`;
  try {
    const written = join(folder, 'classes.jsa');
    const settings = await soleBroker(folder, jars, [`-XX:ArchiveClassesAtExit=${written}`]);
    await prepareStorage(settings, { clusterId: 'A'.repeat(22), scram: [] });
    const broker = await runBroker(settings, signal);
    await broker.stop();
    await (existsSync(written) ? copyFile(written, writing) : writeFile(writing, ''));
    await rename(writing, archive);
  } finally {
    await rm(writing, { force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

async function soleBroker(folder: string, jars: string, options: readonly string[]): Promise<BrokerSettings> {
  const nodes = await nodePorts(1);
  return {
    address: `127.0.0.1:${nodes[0]?.client}`,
    folder,
    temporary: folder,
    jars,
    classArchive: [],
    heap: ['-Xmx256m', ...options],
    properties: { ...serverProperties(1, nodes, folder), ...securityProperties({}, undefined) },
  };
}
