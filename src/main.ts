import { readConfig } from './config.js';
import { start } from './compose.js';
import { VoicegateError } from './errors.js';
import { createLog } from './ops/log.js';

try {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const service = await start(config, log);
  const stop = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopping');
    void service.stop().then(({ late }) => {
      if (late !== null) log.error({ phase: late }, 'stopped before it was finished');
      process.exit(late === null ? 0 : 1);
    });
  };
  // Not once: a process manager and npm may both pass the signal on, and the second must not end what the first lets finish.
  process.on('SIGTERM', stop).on('SIGINT', stop);
} catch (fault) {
  if (!(fault instanceof VoicegateError)) throw fault;
  process.stderr.write(`${fault.code}: ${fault.message}\n${fault.hint === undefined ? '' : `${fault.hint}\n`}`);
  process.exit(1);
}
