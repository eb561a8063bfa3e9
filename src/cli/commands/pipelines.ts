import { shippedPipelines } from '../../../pipelines/index.ts';
import type { Command } from '../command.ts';
import { type PipelineDescription, describePipeline } from '../pipeline-graph.ts';

export const pipelinesCommand: Command = {
  name: 'pipelines',
  summary: 'Lists the pipelines: what each reads, the operators it chains, and what it writes',
  options: { json: { type: 'boolean', help: 'as JSON' } },
  run: ({ options, terminal }) => {
    const described = shippedPipelines().map(describePipeline);
    if (options['json'] === true) {
      terminal.out(JSON.stringify(described, null, 2));
    } else {
      terminal.out(described.map(draw).join('\n\n'));
    }
    return Promise.resolve(0);
  },
};

function draw({ name, summary, inputs, tables, stages, outputs }: PipelineDescription): string {
  const beside = tables.length > 0 ? [`  beside ${tables.join(', ')}`] : [];
  return [
    `${name}: ${summary}`,
    `  ${inputs.join(', ')}`,
    ...beside,
    `  -> ${stages.join(' -> ')}`,
    ...(outputs.length > 0 ? [`  => ${outputs.join(', ')}`] : []),
  ].join('\n');
}
