import t from 'tap';
import { checkNewPin } from '../../src/credential/pin-rules.js';
import { VoicegateError } from '../../src/errors.js';

/** The code of the refusal, or null. Fails when the message or hint repeats the PIN. */
function refusal(pin: string, digits = 6, accountId = 'customer'): string | null {
  try {
    checkNewPin(pin, { digits, accountId });
    return null;
  } catch (error) {
    if (!(error instanceof VoicegateError)) throw error;
    const told = `${error.message} ${error.hint} ${JSON.stringify(error.details)}`;
    if (pin !== '' && told.includes(pin)) t.fail('the refusal repeats the PIN');
    return error.code;
  }
}

void t.test('digits without a pattern are taken, at every length of the policy', async (t) => {
  for (const pin of ['7392', '58204', '739284', '4820571', '92750418', '739205841627']) {
    t.equal(refusal(pin, pin.length), null, pin);
  }
});

void t.test('anything but exactly so many ASCII digits has the wrong form', async (t) => {
  for (const pin of [
    '',
    '73928',
    '7392841',
    '73928a',
    ' 73928',
    '73928\n',
    '７３９２８４',
    '٧٣٩٢٨٤',
    '-73928',
    '7392.4',
  ]) {
    t.equal(refusal(pin), 'pin_invalid', JSON.stringify(pin));
  }
});

void t.test('repeated digits and groups are too simple', async (t) => {
  for (const pin of ['111111', '000000', '121212', '123123', '112233', '998877', '111222', '111112', '595959']) {
    t.equal(refusal(pin), 'pin_too_simple', pin);
  }
  for (const pin of ['1111', '1212', '1122']) t.equal(refusal(pin, 4), 'pin_too_simple', pin);
});

void t.test('sequences up and down, over the end, and in steps of two are too simple', async (t) => {
  for (const pin of [
    '123456',
    '012345',
    '456789',
    '654321',
    '987654',
    '890123',
    '321098',
    '135791',
    '246802',
    '975319',
  ]) {
    t.equal(refusal(pin), 'pin_too_simple', pin);
  }
});

void t.test('digits of the account number are too simple, in any place and backwards', async (t) => {
  for (const account of ['739284', '62739284', '7392841000', 'acc-00-739284', '+86 139 7392 84', '482937']) {
    t.equal(refusal('739284', 6, account), 'pin_too_simple', account);
  }
  t.equal(refusal('739284', 6, '7392-8-5'), null);
  t.equal(refusal('739284', 6, '39284'), null, 'an account number shorter than the PIN is not the PIN');
});
