import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBroker } from './broker-process.ts';
import { prepareStorage } from './broker-storage.ts';
import { clusterSettings } from './cluster-settings.ts';

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
    const [settings] = (await clusterSettings({}, { jars, classArchive: [] }, folder)).settings;
    if (settings === undefined) throw new Error('a cluster without a broker');
    await prepareStorage(settings, { clusterId: 'A'.repeat(22), scram: [] });
    const broker = await runBroker(
      { ...settings, classArchive: [`-XX:ArchiveClassesAtExit=${written}`] },
      signal,
    );
    await broker.stop();
    await (existsSync(written) ? copyFile(written, writing) : writeFile(writing, ''));
    await rename(writing, archive);
  } finally {
    await rm(writing, { force: true });
    await rm(folder, { recursive: true, force: true });
  }
}
