/** What is looked at of a reason, characters: it is outside text, and a group needs no more. */
const longest = 1000;
/** What is kept, so that a group stays one line. */
const longestNormal = 300;

/** What differs between failures of one kind, and what stands for it, in the order in which it is replaced. */
const variables: readonly (readonly [RegExp, string])[] = [
  // The value that an io-ts type refused, and the text that is no JSON: both may hold quotes of their own.
  [/\bInvalid value .{0,900}? supplied to/g, 'Invalid value <value> supplied to'],
  [/(?:\.{3})?".*"(?:\.{3})? is not valid JSON/g, '<text> is not valid JSON'],
  [/"[^"]*"|`[^`]*`/g, '<text>'],
  // Not the apostrophe of "can't".
  [/(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu, '<text>'],
  [/\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?Z|[+-]\d\d:?\d\d)?)?/g, '<time>'],
  [/\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\b/g, '<time>'],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '<id>'],
  [/\b0x[0-9a-f]+\b/gi, '<id>'],
  [/\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b/gi, '<id>'],
  [/(?<![\p{L}\p{N}_)\]>])[-+]?\d+(?:[.,_]\d+)*(?:e[-+]?\d+)?|\d+(?:[.,_]\d+)*/giu, '<n>'],
  [/\s+/g, ' '],
];

/**
 * A reason without what differs from message to message: numbers, ids, times and quoted values are replaced, so
 * that failures of one kind read alike.
 *
 * @example
 * normaliseReason('price -3 of "BTC-USD" at 12:01'); // 'price <n> of <text> at <time>'
 */
export function normaliseReason(reason: string): string {
  let text = reason.slice(0, longest);
  for (const [pattern, stand] of variables) text = text.replace(pattern, stand);
  return text.trim().slice(0, longestNormal);
}
