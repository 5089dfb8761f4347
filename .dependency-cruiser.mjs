/**
 * The floors of the house. Imports only go down; rooms on one floor do not import each other.
 * `service` owns the ports that edges implement, so edges may import it and never the other way round.
 */
const floors = [
  ['errors.ts', 'config.ts', 'paths.ts', 'ops'],
  ['features'],
  ['inference'],
  ['audio'],
  ['embedding', 'challenge', 'credential'],
  ['scoring', 'models', 'prompts'],
  ['decision', 'voiceprint', 'tuning'],
  ['audit'],
  ['service'],
  ['ivr'],
  ['storage', 'http', 'telephony', 'cli'],
  ['compose.ts'],
  ['main.ts', 'cli.ts'],
];

const escape = (room) => (room.endsWith('.ts') ? `${room.replace('.', '\\.')}$` : `${room}/`);
const anyOf = (rooms) => `^src/(${rooms.map(escape).join('|')})`;

const upward = floors.map((rooms, floor) => ({
  name: `floor-${floor}-imports-only-down`,
  severity: 'error',
  comment: `${rooms.join(', ')} may import only rooms below. Move the shared piece down, or pass it in from compose.ts.`,
  from: { path: anyOf(rooms) },
  to: {
    path: anyOf(
      floors
        .slice(floor + 1)
        .flat()
        .concat('nothing-above'),
    ),
  },
}));

const sideways = floors.flatMap((rooms, floor) =>
  floor === 0
    ? []
    : rooms.map((room) => ({
        name: `${room}-does-not-import-its-neighbours`,
        severity: 'error',
        comment: `${room} imports a room of its own floor. Let the floor above join the two.`,
        from: { path: anyOf([room]) },
        to: { path: anyOf(rooms.filter((other) => other !== room).concat('nothing-beside')) },
      })),
);

const home = (name, packages, rooms) => ({
  name,
  severity: 'error',
  comment: `${packages} may be imported only in ${rooms}: one home, so that its traps are met in one place.`,
  from: { path: '^src/', pathNot: rooms },
  to: { path: packages },
});

export default {
  forbidden: [
    ...upward,
    ...sideways,
    {
      name: 'no-circle',
      severity: 'error',
      comment: 'Two files import each other, directly or around a corner. Move what both need into a third.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphan',
      severity: 'error',
      comment: 'Nobody imports this file. Delete it.',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: '^src/(main|cli|inference/worker|pages/agent/(page|capture-worklet))\\.ts$',
      },
      to: {},
    },
    {
      name: 'source-does-not-know-its-tests',
      severity: 'error',
      comment: 'src/ imports test/ or bench/. Move the piece into src/.',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-dev-dependency-in-source',
      severity: 'error',
      comment: 'src/ imports a package that production does not install. Move it to dependencies.',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    {
      name: 'pages-run-in-browsers',
      severity: 'error',
      comment: 'src/pages/ is loaded by browsers: it knows nothing of the service but its API, and nobody imports it.',
      from: { path: '^src/pages/' },
      to: { pathNot: '^src/pages/' },
    },
    {
      name: 'nobody-imports-pages',
      severity: 'error',
      comment: 'Scripts of pages run in browsers only. Serve them, see http/page-files.ts.',
      from: { pathNot: '^src/pages/' },
      to: { path: '^src/pages/' },
    },
    home('onnxruntime-has-one-home', 'node_modules/onnxruntime-node', '^src/inference/'),
    home('worker-threads-have-one-home', '^(node:)?worker_threads$', '^src/inference/'),
    home('database-has-one-home', 'node_modules/(pg|pgvector|@electric-sql)/', '^src/storage/'),
    home('fastify-has-one-home', 'node_modules/(fastify|@fastify)/', '^src/(http/|compose\\.ts$)'),
    home('wavefile-and-ffmpeg-have-one-home', 'node_modules/(wavefile|fluent-ffmpeg)/', '^src/audio/'),
    home('ws-has-one-home', 'node_modules/(ws|@types/ws)/', '^src/telephony/'),
    home('argon2-has-one-home', 'node_modules/@node-rs/argon2', '^src/credential/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
