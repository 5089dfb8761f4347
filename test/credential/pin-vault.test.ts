import t from 'tap';
import { hash } from '@node-rs/argon2';
import { createPinVault } from '../../src/credential/pin-vault.js';

const pepper = new Uint8Array(32).fill(7);
const limits = { concurrency: 2, queueLimit: 10 };

void t.test('the right PIN is known again, another is not', async (t) => {
  const vault = await createPinVault({ pepper, ...limits });
  const pinHash = await vault.hash('739284');
  t.equal(await vault.verify('739284', pinHash), true);
  t.equal(await vault.verify('739285', pinHash), false);
  t.equal(await vault.verify('', pinHash), false);
});

void t.test('hashes are argon2id at 19 MiB with two passes, salted, and do not hold the PIN', async (t) => {
  const vault = await createPinVault({ pepper, ...limits });
  const [one, two] = [await vault.hash('739284'), await vault.hash('739284')];
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  t.not(one, two);
  t.notMatch(one, /739284/);
});

void t.test('without the pepper a stolen hash cannot be checked', async (t) => {
  const vault = await createPinVault({ pepper, ...limits });
  const other = await createPinVault({ pepper: new Uint8Array(32).fill(8), ...limits });
  t.equal(await other.verify('739284', await vault.hash('739284')), false);
});

void t.test('no hash, or one that cannot be read, answers false after the same hash was computed', async (t) => {
  const vault = await createPinVault({ pepper, ...limits });
  for (const pinHash of [null, '', 'not a hash', '$argon2id$v=19$m=19456']) {
    t.equal(await vault.verify('739284', pinHash), false);
  }
});

void t.test('a hash of another cost still verifies', async (t) => {
  const vault = await createPinVault({ pepper, ...limits });
  const cheap = await hash('739284', { memoryCost: 8192, timeCost: 1, secret: pepper });
  t.equal(await vault.verify('739284', cheap), true);
});

void t.test('of many guesses at once those beyond the queue are answered busy, and the vault recovers', async (t) => {
  const vault = await createPinVault({ pepper, concurrency: 2, queueLimit: 3 });
  const answers = await Promise.allSettled(Array.from({ length: 20 }, () => vault.verify('739284', null)));
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  t.equal(refused.length, 15);
  t.match(refused[0], { code: 'busy', retryAfterSeconds: 1 });
  t.equal(await vault.verify('739284', null), false);
});

void t.test('a short pepper is refused', async (t) => {
  await t.rejects(createPinVault({ pepper: new Uint8Array(8), ...limits }), { code: 'configuration_invalid' });
});
