import { notificationsTopic } from '../../pipelines/index.ts';
import type { SinkConfig } from '../config/sinks.ts';
import type { Pipeline } from '../runtime/pipeline.ts';
import { consoleSink } from '../worker/sinks/console-sink.ts';
import { fileSink } from '../worker/sinks/file-sink.ts';
import type { NotificationSink } from '../worker/sinks/notification-sink.ts';
import { notificationSinks } from '../worker/sinks/notification-sinks.ts';
import { webhookSink } from '../worker/sinks/webhook-sink.ts';
import { CliError } from './cli-error.ts';

export interface Sinks {
  readonly pipelines: readonly Pipeline[];
  /** Closes their files. */
  readonly release: readonly (() => unknown)[];
}

/** The sinks that a bundle names, a pipeline each. @throws CliError where two have one name */
export function sinksOf(configs: readonly SinkConfig[]): Sinks {
  const sinks = configs.map(sinkOf);
  const names = sinks.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new CliError(2, `two sinks are called ${twice}: give each a name of its own with "name:"`);
  }
  const release = sinks.map(sink => () => sink.close?.());
  return { pipelines: notificationSinks(notificationsTopic, sinks), release };
}

function sinkOf(config: SinkConfig): NotificationSink {
  const name = config.name ?? config.kind;
  switch (config.kind) {
    case 'console':
      return consoleSink(text => process.stdout.write(text), name);
    case 'file':
      return fileSink({ name, path: config.path });
    case 'webhook':
      return webhookSink({ name, url: config.url, timeoutMs: config.timeout });
  }
}
