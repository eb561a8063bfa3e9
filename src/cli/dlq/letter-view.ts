import { wrapText } from '../view/display-width.ts';
import { type Line, clipLine, padLine, span, textOf } from '../view/line.ts';
import { counted, moment, plural } from '../view/readable.ts';
import { type WholeLetter, payloadOf } from './letter-answers.ts';
import { viewPayload } from './payload-view.ts';

/** Headers shown, and characters of each. */
const [maxHeaders, maxValue] = [50, 300];
/** Characters of a reason. */
const maxReason = 2_000;

export interface LetterViewOptions {
  readonly columns: number;
  readonly colour: boolean;
}

/** All of a letter for people: what happened to the message, its headers, and what its payload says. */
export function viewLetter(letter: WholeLetter, { columns, colour }: LetterViewOptions): string {
  const bytes = payloadOf(letter);
  const { form, refusal, lines } = viewPayload(letter.origin.topic, bytes);
  const size = bytes === null ? '' : `  ${plural(bytes.length, 'byte')}`;
  const shown: Line[] = [
    [span('LETTER', 'accent'), span(`  ${letter.id}  group ${letter.group}`)],
    ...facts(factsOf(letter), columns),
    [],
    [span('HEADERS', 'accent'), span(`  ${plural(letter.headers.length, 'header')}`)],
    ...facts(headersOf(letter), columns),
    [],
    [span('PAYLOAD', 'accent'), span(`  ${form}${size}`)],
    ...(refusal === undefined ? [] : facts([['refused', refusal.slice(0, maxReason)]], columns)),
    // Not clipped to the width: what is copied from here should be whole.
    ...lines.map((line): Line => [span(`  ${line}`)]),
  ];
  return shown.map(line => textOf(line, colour)).join('\n');
}

type Fact = readonly [name: string, value: string];

function factsOf(letter: WholeLetter): readonly Fact[] {
  const { topic, partition, offset } = letter.origin;
  const first = letter.firstFailureAt > 0 ? `, first ${moment(letter.firstFailureAt)}` : '';
  return [
    ['reason', letter.reason.slice(0, maxReason)],
    ['failure', `${letter.failure} in ${letter.stage}`],
    ['pipeline', letter.pipeline + (letter.worker === '' ? '' : ` on ${letter.worker}`)],
    ['attempts', `${counted(letter.attempts)}, dead letter number ${counted(letter.count)} of this message`],
    ['failed', `${moment(letter.failedAt)}${first}`],
    ['from', letter.wasStored ? `${topic}[${partition}]@${offset}` : `a feed: never stored in ${topic}`],
    ['key', letter.key ?? '(none)'],
    ['event time', moment(letter.timestamp)],
    ...(letter.schemaVersion === null ? [] : [['schema', letter.schemaVersion] satisfies Fact]),
    ['stored at', `${letter.topic}[${letter.partition}]@${letter.offset}`],
  ];
}

function headersOf({ headers }: WholeLetter): readonly Fact[] {
  const shown = headers.slice(0, maxHeaders).map(([name, value]): Fact => {
    const text = 'text' in value ? value.text : `base64 ${value.base64}`;
    return [name, text.length <= maxValue ? text : `${text.slice(0, maxValue)}… (${text.length} characters)`];
  });
  const left = headers.length - shown.length;
  return left === 0 ? shown : [...shown, ['...', `and ${left} more`]];
}

/** Names beside values; long values go on below themselves. */
function facts(all: readonly Fact[], columns: number): Line[] {
  const width = Math.min(24, Math.max(0, ...all.map(([name]) => name.length))) + 4;
  return all.flatMap(([name, value]) => {
    const lines = wrapText(span(value).text, Math.max(20, columns - width));
    return lines.map((text, i): Line => {
      const label = i === 0 ? clipLine([span(`  ${name}`, 'dim')], width - 1) : [];
      return [...padLine(label, width), span(text)];
    });
  });
}
