import type { RedriveRecord } from '../../dlq/redrive-options.ts';

type Details = Readonly<Record<string, string>>;

/** A record of a redrive as subject and details of an audit event. */
export function auditedAs(record: RedriveRecord): readonly [subject: string, details: Details] {
  switch (record.kind) {
    case 'started': {
      const { topic, job, selection, transform } = record;
      return [topic, { step: 'started', job, selection, ...(transform !== undefined && { transform }) }];
    }
    case 'edited': {
      const { letter, job, redrive, oldPayload, newPayload } = record;
      return [letter, { step: 'edited', job, redrive, oldPayload, newPayload }];
    }
    case 'ended': {
      const { job, outcome, progress } = record;
      const { looked, matched, sent, edited, failed, skipped } = progress;
      const counts = Object.entries({ looked, matched, sent, edited, failed, ...skipped });
      return [job, { step: 'ended', outcome, ...Object.fromEntries(counts.map(([n, c]) => [n, String(c)])) }];
    }
  }
}
