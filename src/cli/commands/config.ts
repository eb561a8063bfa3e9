import { shippedPipelines } from '../../../pipelines/index.ts';
import { shippedBackends } from '../../config/backends.ts';
import { checkConfigs } from '../../config/check-configs.ts';
import { formatProblems } from '../../config/config-problem.ts';
import { CliError } from '../cli-error.ts';
import { type Command, textOption } from '../command.ts';
import { defaultConfigDir, domainFiles } from '../settings.ts';

export const configCommand: Command = {
  name: 'config',
  summary: 'config check: reads every configuration file and tells all that is wrong',
  positionals: 'check',
  options: { config: { type: 'string', value: 'DIR', help: 'configuration folder' } },
  run: ({ options, positionals, terminal }) => {
    if (positionals[0] !== 'check') throw new CliError(2, 'Usage: cryptorun config check [--config DIR]');
    const dir = textOption(options, 'config') ?? defaultConfigDir();
    const problems = checkConfigs(dir, {
      env: process.env,
      pipelines: shippedPipelines().map(({ name }) => name),
      kinds: shippedBackends,
      files: domainFiles,
    });
    if (problems.length === 0) {
      terminal.out(`${dir}: no problem found`);
      return Promise.resolve(0);
    }
    terminal.err(formatProblems(problems));
    return Promise.resolve(2);
  },
};
