import { inWords } from '../../../pipelines/number-words.ts';

const none = '-';
const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

function scaled(value: number, unit: string): string {
  return `${value.toFixed(value < 99.95 ? 1 : 0)}${unit}`;
}

/** A count or rate in at most six cells: `0.4`, `812`, `8,120`, `84.3k`, `1.2M`; `-` where it is not known. */
export function compact(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return none;
  if (value >= 1e12) return value.toExponential(0);
  if (value >= 999.5e6) return scaled(value / 1e9, 'G');
  if (value >= 999.5e3) return scaled(value / 1e6, 'M');
  if (value >= 9_999.5) return scaled(value / 1e3, 'k');
  if (value > 0 && value < 9.95 && !Number.isInteger(value)) return value.toFixed(1);
  return Math.round(value).toLocaleString('en-US');
}

/** A whole count: `1,204`. */
export function counted(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `1 signal`, `2 signals`, `1,204 signals`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${counted(count)} ${count === 1 ? one : many}`;
}

/** A length of time in at most seven cells: `250ms`, `1.2s`, `2m 05s`, `3h 20m`, `4d 02h`. */
export function lengthOfTime(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return none;
  if (ms < 0) return `-${lengthOfTime(-ms)}`;
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  if (ms < 59_950) return `${(ms / secondMs).toFixed(1)}s`;
  if (ms < hourMs - 500) return inTwo(Math.round(ms / secondMs), 60, 'm', 's');
  if (ms < dayMs - minuteMs / 2) return inTwo(Math.round(ms / minuteMs), 60, 'h', 'm');
  return inTwo(Math.round(ms / hourMs), 24, 'd', 'h');
}

function inTwo(value: number, base: number, large: string, small: string): string {
  return `${Math.floor(value / base)}${large} ${String(value % base).padStart(2, '0')}${small}`;
}

/** A stop watch: `0:42`, `12:05`, `2:14:05`. */
export function stopWatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / secondMs));
  const pair = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${pair(minutes)}:${pair(seconds % 60)}` : `${minutes}:${pair(seconds % 60)}`;
}

function iso(ms: number | undefined): string | undefined {
  return ms === undefined || !(Math.abs(ms) <= 8.64e15) ? undefined : new Date(ms).toISOString();
}

/** A moment in UTC: `2026-01-04 12:31:07`. */
export function moment(ms: number | undefined): string {
  return iso(ms)?.replace('T', ' ').slice(0, -5) ?? none;
}

/** A moment of this year in UTC: `01-04 12:31`. */
export function shortMoment(ms: number | undefined): string {
  return moment(ms).slice(-14, -3) || none;
}

/** The time of day in UTC: `12:31:07`. */
export function timeOfDay(ms: number | undefined): string {
  return moment(ms).slice(-8);
}

/** A share: 0.624 is `62 %`, with one decimal `62.4 %`; `-` where it is not known. */
export function percent(share: number | null | undefined, digits = 0): string {
  return share === null || share === undefined ? none : `${(share * 100).toFixed(digits)} %`;
}

/** A number with its sign; `-` where it is not known. */
export function signed(value: number | null, digits = 2): string {
  return value === null ? none : `${value < 0 ? '' : '+'}${inWords(value, digits)}`;
}

/** A number with its sign and always as many decimals, for columns; `-` where it is not known. */
export function signedFixed(value: number | null, digits = 2): string {
  if (value === null) return none;
  const text = Math.abs(value).toFixed(digits);
  if (!/[1-9]/.test(text)) return text;
  return `${value < 0 ? '-' : '+'}${text}`;
}

/** The first eight digits of an id, enough for people to tell signals apart. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
