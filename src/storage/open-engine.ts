import { openEmbedded } from './embedded.js';
import type { DatabasePlace, Engine } from './engine.js';
import { openServer } from './server.js';

/**
 * Opens the engine for a place; connects lazily to a server, starts the embedded one at once.
 * @throws VoicegateError `configuration_invalid` for a URL that is none or a folder that another process holds
 */
export async function openEngine(place: DatabasePlace): Promise<Engine> {
  if ('databaseUrl' in place) return openServer(place.databaseUrl, place.poolSize);
  return openEmbedded('dataDir' in place ? place.dataDir : null);
}
