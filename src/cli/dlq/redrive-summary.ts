import type { RedriveReport } from '../../dlq/redrive-tally.ts';
import { span } from '../view/line.ts';
import { counted, plural, shortId } from '../view/readable.ts';

/** What a redrive has done, for people. */
export function redriveSummary(report: RedriveReport, dryRun: boolean): readonly string[] {
  const { failed, failures, skipped } = report;
  const notes: readonly (readonly [number, string])[] = [
    [skipped['in quarantine'], 'whose message is in quarantine: see "cryptorun quarantine"'],
    [skipped['never a message'], 'from feeds, which never were messages of a topic'],
    [skipped['edited away'], 'that the transform leaves where they are'],
  ];
  const left = notes.flatMap(([count, what]) =>
    count === 0 ? [] : [`  not sent: ${plural(count, 'letter')} ${what}`],
  );
  const refused = failures.map(({ id, reason }) => `    ${shortId(id)}  ${span(reason).text}`);
  const more = failed - failures.length;
  return [
    headline(report, dryRun),
    ...left,
    ...(failed === 0 ? [] : [`  failed: ${plural(failed, 'letter')}`, ...refused]),
    ...(more > 0 ? [`    and ${counted(more)} more`] : []),
    ...(failed > 0 ? ['  These stay where they are; --again tries all of the selection once more.'] : []),
  ];
}

function headline(
  { before, total, matched, sent, edited, outcome, looked }: RedriveReport,
  dryRun: boolean,
): string {
  const earlier = before === 0 ? '' : `, going on behind ${plural(before, 'message')} of earlier runs`;
  if (total === 0) return `Nothing new to send${before === 0 ? ': the topic is empty' : earlier}.`;
  if (matched === 0 && outcome === 'done')
    return `Nothing new to send: ${counted(looked)} looked at${earlier}.`;
  const verb = dryRun ? 'Would send' : 'Sent';
  const edits = edited === 0 ? '' : `, ${counted(edited)} of them edited`;
  const meant =
    sent === matched ? plural(sent, 'letter') : `${counted(sent)} of ${plural(matched, 'letter')}`;
  return `${verb} ${meant}${edits}${earlier}.${dryRun ? ' Nothing was sent.' : ending[outcome]}`;
}

const ending: Readonly<Record<RedriveReport['outcome'], string>> = {
  done: '',
  stopped: ' Stopped before the end.',
  limit: ' That is the limit; there may be more.',
};
