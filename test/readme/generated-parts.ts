import {
  GateSettings,
  LiquiditySettings,
  MomentumSettings,
  RegimeSettings,
  SignalSettings,
} from '../../pipelines/index.ts';
import { backendsConfig, shippedBackends } from '../../src/config/backends.ts';
import { bundleConfig } from '../../src/config/bundle.ts';
import { describeConfig } from '../../src/config/describe-config.ts';
import { TopicsConfig } from '../../src/config/topics.ts';
import { metricCatalog } from '../../src/runtime/metric-catalog.ts';
import { operatorDocs } from './operator-docs.ts';
import { topicRows } from './topic-table.ts';

/** The parts of the README that say again what the code says, by the name of their place. */
export function generatedParts(): Readonly<Record<string, string>> {
  const operators = operatorDocs();
  return {
    operators: [
      table(
        ['operator', 'what it does'],
        operators.map(({ name, summary }) => [`\`${name}\``, summary]),
      ),
      folded(
        'Their marble diagrams',
        ['```text', operators.map(({ name, diagram }) => `${name}\n${diagram}`).join('\n\n'), '```'].join(
          '\n',
        ),
      ),
    ].join('\n\n'),
    topics: table(['topic', 'holds', 'key', 'partitions', 'retention'], topicRows()),
    metrics: table(
      ['metric', 'kind', 'meaning'],
      Object.entries(metricCatalog).map(([name, { kind, help }]) => [`\`${name}\``, kind, help]),
    ),
    configuration: Object.entries(configFiles)
      .map(([file, codec]) => folded(`<code>configs/${file}</code>`, describeConfig(codec)))
      .join('\n\n'),
  };
}

const configFiles: Readonly<Record<string, Parameters<typeof describeConfig>[0]>> = {
  // What a backend takes is told of its own file.
  'bundles/*.yaml': bundleConfig({}),
  'stream/backends.yaml': backendsConfig(shippedBackends),
  'stream/topics.yaml': TopicsConfig,
  'liquidity.yaml': LiquiditySettings,
  'momentum.yaml': MomentumSettings,
  'regimes.yaml': RegimeSettings,
  'gates.yaml': GateSettings,
  'signals.yaml': SignalSettings,
};

function folded(summary: string, content: string): string {
  return `<details><summary>${summary}</summary>\n\n${content}\n\n</details>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}
