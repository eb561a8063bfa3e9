import type { RedriveProgress } from '../../dlq/redrive-tally.ts';
import { clipText } from '../view/display-width.ts';
import { RateMeter } from '../view/rate-meter.ts';
import { compact, counted, lengthOfTime } from '../view/readable.ts';

/** Standard error, as much of it as progress needs. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Where lines cannot be redrawn, ms from one to the next. */
const lineEveryMs = 5_000;
const clearLine = '\r\u001B[K';

/** Shows how far a redrive is: one line that is drawn again on a terminal, else a line every few seconds. */
export class ProgressLine {
  readonly #stream: ProgressStream;
  readonly #meter = new RateMeter();
  #shownAt: number;

  /** @param startedAt ms; where lines cannot be redrawn the first comes some seconds later */
  constructor(stream: ProgressStream, startedAt: number) {
    this.#stream = stream;
    this.#shownAt = startedAt;
  }

  show(progress: RedriveProgress, now: number): void {
    this.#meter.add(now, progress.looked);
    const line = this.#lineOf(progress);
    if (this.#stream.isTTY === true) {
      this.#stream.write(clearLine + clipText(line, (this.#stream.columns ?? 80) - 1));
    } else if (now - this.#shownAt >= lineEveryMs) {
      this.#shownAt = now;
      this.#stream.write(`${line}\n`);
    }
  }

  /** Leaves the line to what comes next. */
  clear(): void {
    if (this.#stream.isTTY === true) this.#stream.write(clearLine);
  }

  #lineOf({ looked, total, sent, failed }: RedriveProgress): string {
    const share = total === 0 ? 100 : Math.floor((100 * looked) / total);
    const left = this.#meter.timeTo(total);
    return [
      `${share} %`,
      `${counted(looked)} of ${counted(total)} looked at`,
      `${counted(sent)} sent`,
      ...(failed > 0 ? [`${counted(failed)} failed`] : []),
      `${compact(this.#meter.perSecond())}/s`,
      ...(left === undefined ? [] : [`${lengthOfTime(left)} left`]),
    ].join('   ');
  }
}
