import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository (or installed package) root. Compiled files live in dist/src, two levels below it. */
export const rootDir = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Model folders, each with a card.json. */
export const modelsDir = join(rootDir, 'models');

/** SQL migrations, applied in the order of their names. */
export const migrationsDir = join(rootDir, 'migrations');

/** Synthesised test speech with its manifest. */
export const audioFixturesDir = join(rootDir, 'audio-fixtures');

/** The shipped prompts. They are read, not compiled in, so that there is one place to look at and to copy from. */
export const promptsDir = join(rootDir, 'src', 'prompts');

/** The pages for people: mark-up and styles, a folder each; their compiled scripts. */
export const pagesDir = join(rootDir, 'src', 'pages');
export const compiledPagesDir = join(rootDir, 'dist', 'src', 'pages');
