import { type FailureReport, shortened } from '../src/core/dead-letter.ts';
import type { Failure } from '../src/core/failure.ts';
import type { HeaderValue, MessageHeaders } from '../src/core/headers.ts';

/** Whose headers to write: Spring for Apache Kafka's `kafka_dlt-*` or Kafka Connect's `__connect.errors.*`. */
export type LetterDialect = 'spring-kafka' | 'kafka-connect';

type Entry = readonly [string, HeaderValue];

/** The headers of a dead letter with those that other tools look for; a report of an earlier death gives way. */
export function withDialects(
  headers: MessageHeaders,
  dialects: readonly LetterDialect[],
  report: FailureReport,
  failure: Failure,
): MessageHeaders {
  let told = headers;
  for (const dialect of dialects) {
    for (const [name, value] of entriesOf(dialect, report, failure)) told = told.with(name, value);
  }
  return told;
}

function entriesOf(dialect: LetterDialect, report: FailureReport, failure: Failure): readonly Entry[] {
  switch (dialect) {
    case 'spring-kafka':
      return springKafka(report, failure);
    case 'kafka-connect':
      return kafkaConnect(report, failure);
  }
}

/** As its DeadLetterPublishingRecoverer writes them: numbers as big-endian Java int and long. */
function springKafka({ origin, timestamp, pipeline, reason }: FailureReport, failure: Failure): Entry[] {
  return [
    ['kafka_dlt-original-topic', origin.topic],
    ['kafka_dlt-original-partition', javaInt(origin.partition)],
    ['kafka_dlt-original-offset', javaLong(origin.offset)],
    ['kafka_dlt-original-timestamp', javaLong(timestamp)],
    ['kafka_dlt-original-timestamp-type', 'CreateTime'],
    ['kafka_dlt-original-consumer-group', pipeline],
    ['kafka_dlt-exception-fqcn', classOf(failure)],
    ['kafka_dlt-exception-message', reason],
    ['kafka_dlt-exception-stacktrace', stackOf(failure)],
  ];
}

/** As its DeadLetterQueueReporter writes them: numbers as text. */
function kafkaConnect({ origin, pipeline, stage, reason }: FailureReport, failure: Failure): Entry[] {
  return [
    ['__connect.errors.topic', origin.topic],
    ['__connect.errors.partition', String(origin.partition)],
    ['__connect.errors.offset', String(origin.offset)],
    ['__connect.errors.connector.name', pipeline],
    ['__connect.errors.task.id', '0'],
    ['__connect.errors.stage', stage],
    ['__connect.errors.class.name', stage],
    ['__connect.errors.exception.class.name', classOf(failure)],
    ['__connect.errors.exception.message', reason],
    ['__connect.errors.exception.stacktrace', stackOf(failure)],
  ];
}

function classOf({ cause, tag }: Failure): string {
  return cause instanceof Error ? cause.name : tag;
}

function stackOf({ cause, reason }: Failure): string {
  return shortened(cause instanceof Error ? (cause.stack ?? reason) : reason);
}

function javaInt(value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setInt32(0, value);
  return new Uint8Array(bytes.buffer);
}

function javaLong(value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigInt64(0, BigInt(Math.trunc(value)));
  return new Uint8Array(bytes.buffer);
}
