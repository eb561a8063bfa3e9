import * as t from 'io-ts';
import { Name } from './name.ts';
import { field } from './field.ts';
import { type Tagged, taggedBy } from './tagged.ts';
import { between, Duration, Text, textLike } from './values.ts';

/** Where notifications go beside their topic; several of a kind need names. */
export type SinkConfig = Tagged<'kind', typeof members>;

interface Named {
  readonly name?: string;
}

/** Lines to standard output. */
const Console: t.Type<Named, unknown> = t.partial({ name: field(Name, 'names the sink; default: its kind') });

interface FileSettings extends Named {
  readonly path: string;
}

/** One JSON object a line, appended. */
const File: t.Type<FileSettings, unknown> = t.intersection([
  t.type({ path: field(Text, 'the file; its folder must be there') }),
  Console,
]);

interface WebhookSettings extends Named {
  readonly url: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** A POST each. */
const Webhook: t.Type<WebhookSettings, unknown> = t.intersection([
  t.type({
    url: field(
      textLike(
        /^https?:\/\/\S+$/,
        'address, write for example https://hooks.example.org/in or ${WEBHOOK_URL}',
      ),
      'where notifications are posted; best kept in a variable',
    ),
    timeout: field(between(Duration, '10ms', '10m'), 'how long one request may take', '10s'),
  }),
  Console,
]);

const members: {
  readonly console: typeof Console;
  readonly file: typeof File;
  readonly webhook: typeof Webhook;
} = { console: Console, file: File, webhook: Webhook };

export const SinkConfig: t.Type<SinkConfig, unknown> = taggedBy('kind', members);
