/** Import directions between the rooms of the project; `npm run lint:imports` checks them. */
const room = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|operators|pipelines|test)/', pathNot: allowed },
});

/** A room of the Kafka backend knows the driver port and what else lies beside it, and these other rooms. */
const kafkaRoom = (name, known) =>
  room(
    `kafka-${name}-knows-${['the-port', ...known].join('-')}`,
    `^src/bus/kafka/${name}/`,
    `^src/(bus/kafka/([^/]+$|(${[name, ...known].join('|')})/)|bus/[^/]+$|core/)`,
  );

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'nobody-imports-cli',
      severity: 'error',
      from: { pathNot: '^(src/cli|test)/' },
      to: { path: '^src/cli/' },
    },
    { name: 'nobody-imports-tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    room('core-is-the-ground', '^src/core/', '^src/core/'),
    room('operators-know-only-core', '^operators/', '^(operators|src/core)/'),
    room('log-knows-only-core', '^src/log/', '^src/(log|core)/'),
    room('spill-knows-core-and-log', '^src/spill/', '^src/(spill|log|core)/'),
    room('bus-contract-knows-only-core', '^src/bus/[^/]+$', '^src/(bus/[^/]+$|core/)'),
    room(
      'embedded-knows-contract-and-log',
      '^src/bus/embedded/',
      '^src/(bus/embedded/|bus/[^/]+$|log/|core/)',
    ),
    room('kafka-knows-only-the-contract', '^src/bus/kafka/', '^src/(bus/kafka/|bus/[^/]+$|core/)'),
    kafkaRoom('cluster', []),
    kafkaRoom('groups', []),
    kafkaRoom('publishing', ['cluster', 'records']),
    kafkaRoom('transactions', ['cluster', 'groups', 'publishing']),
    kafkaRoom('consuming', ['cluster', 'groups', 'transactions']),
    kafkaRoom('records', []),
    kafkaRoom('kafkajs', ['records', 'groups', 'publishing', 'transactions']),
    kafkaRoom('platformatic', ['records', 'groups', 'publishing', 'transactions']),
    {
      name: 'kafkajs-stays-with-its-driver',
      severity: 'error',
      from: { pathNot: '^(src/bus/kafka/kafkajs|test)/' },
      to: { path: 'node_modules/kafkajs/' },
    },
    {
      name: 'platformatic-stays-with-its-driver',
      severity: 'error',
      from: { pathNot: '^(src/bus/kafka/platformatic|test)/' },
      to: { path: 'node_modules/@platformatic/' },
    },
    room(
      'runtime-knows-core-bus-operators',
      '^src/runtime/',
      '^(src/(runtime|core)/|src/bus/[^/]+$|operators/)',
    ),
    room('dlq-knows-core-and-contract', '^src/dlq/', '^src/(dlq/|core/|bus/[^/]+$)'),
    room('config-knows-core', '^src/config/', '^src/(config|core)/'),
    room('feeds-know-core-and-contract', '^src/feeds/', '^src/(feeds/|core/|bus/[^/]+$)'),
    room(
      'worker-knows-runtime-bus-config',
      '^src/worker/',
      '^(src/(worker|runtime|core|config)/|src/bus/[^/]+$|operators/)',
    ),
    room('supervisor-knows-worker', '^src/supervisor/', '^src/(supervisor|worker|runtime|core)/'),
    room(
      'pipelines-use-the-public-surface',
      '^pipelines/',
      '^(pipelines/|src/index.ts$|operators/index.ts$)',
    ),
    room('testing-kit', '^src/testing/', '^(src/(testing|core|runtime|bus)/|operators/)'),
    {
      name: 'core-dependencies',
      severity: 'error',
      from: { path: '^(src/core|operators)/' },
      to: { dependencyTypes: ['npm'], pathNot: 'node_modules/(rxjs|fp-ts|io-ts)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|docs)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
