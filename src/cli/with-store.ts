import type { Secrets } from '../ops/secrets.js';
import type { Store } from '../service/ports.js';

/** Opens the database for one command and closes it afterwards; compose.ts gives it. */
export type WithStore = <T>(work: (store: Store, secrets: Secrets) => Promise<T>) => Promise<T>;
