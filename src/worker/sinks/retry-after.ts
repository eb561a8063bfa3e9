/**
 * How long a `retry-after` header asks to wait, ms: it holds seconds, or a date as in RFC 9110, section 10.2.3.
 * Undefined where there is none, or nothing of the two.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = /[a-z]/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
