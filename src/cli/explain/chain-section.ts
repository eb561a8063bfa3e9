import { type Line, span } from '../view/line.ts';
import { moment, plural } from '../view/readable.ts';
import type { Explanation } from './explanation.ts';
import type { ChainLink, FoundLink } from './find-chain.ts';
import { paragraph, sectionTitle } from './section.ts';

const marks: Readonly<Record<FoundLink['via'], string>> = {
  start: '●',
  cause: '└ because of',
  'event time': '+ together with',
};

function foundLines(link: FoundLink, sharedCorrelation: string | undefined, width: number): Line[] {
  const { via, topic, partition, offset, key, eventTime, id, causationId, correlationId } = link;
  const place: Line = [
    span(`${marks[via]} `, 'dim'),
    span(`${topic}[${partition}]@${offset}`, 'strong'),
    span(`  ${key ?? 'no key'}  ${moment(eventTime)} UTC`),
  ];
  const ids = [
    `id ${id}`,
    causationId === undefined ? 'no causation id' : `causation ${causationId}`,
    correlationId === sharedCorrelation ? undefined : `correlation ${correlationId ?? 'none'}`,
  ];
  const said = ids.filter(text => text !== undefined);
  const inOne = `    ${said.join('  ')}`;
  if (inOne.length <= width) return [place, [span(inOne, 'dim')]];
  return [place, ...said.flatMap(text => paragraph(text, width, 'dim', '    '))];
}

function linesOf(link: ChainLink, sharedCorrelation: string | undefined, width: number): Line[] {
  if (link.found) return foundLines(link, sharedCorrelation, width);
  const text = `└ because of ${link.id}, which ${link.topics.join(' or ')} no longer holds: its retention has passed, or it lies outside of what was searched`;
  return paragraph(text, width, 'warn');
}

/** The messages from the signal back to the first price, and where each one is. */
export function chainSection({ chain, notes }: Explanation, width: number): Line[] {
  const correlation = chain.find(link => link.found)?.correlationId;
  const title: Line = [
    span(plural(chain.length, 'message'), 'strong'),
    span(`  correlation ${correlation ?? 'none'}`, 'dim'),
  ];
  return [
    sectionTitle('CHAIN', title, width),
    ...chain.flatMap(link => linesOf(link, correlation, width)),
    ...notes.flatMap(note => paragraph(`Note: ${note}.`, width, 'warn')),
  ];
}
