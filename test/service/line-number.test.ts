import t from 'tap';
import { lineHash } from '../../src/service/context.js';
import { lineNumberOf } from '../../src/service/line-number.js';
import { openHarness } from './harness.js';

void t.test('a line is its number, by whatever trunk it comes, and no line where it is withheld', async (t) => {
  const table: [string | undefined, string | null][] = [
    ['13800000000', '13800000000'],
    ['tel:+86-138-0000-0000', '+8613800000000'],
    ['tel:13800000000;phone-context=+86', '13800000000'],
    ['sip:13800000000@10.0.0.1:5060', '13800000000'],
    ['sips:+8613800000000@trunk.example;user=phone', '+8613800000000'],
    ['sip:alice@example.org', 'alice@example.org'],
    ['sip:anonymous@anonymous.invalid', null],
    ['sip:Anonymous@pbx.example', null],
    ['sip:13800000000@anonymous.invalid', null],
    ['unavailable', null],
    ['undefined', null],
    ['sip:@x', null],
    ['', null],
    [undefined, null],
  ];
  for (const [given, line] of table) {
    t.equal(lineNumberOf(given), line, String(given));
    t.equal(lineNumberOf(line), line);
  }
});

void t.test('One line is one to every counter, however it is written; a withheld one is none', async (t) => {
  const { context, full } = await openHarness(t);
  const hash = (line: string | null) => lineHash(context, full, line);
  t.same(hash('sip:13800000000@10.0.0.1:5060'), hash('138-0000 0000'));
  t.notSame(hash('13800000000'), hash('13800000001'));
  t.equal(hash('anonymous'), null);
  t.equal(hash(null), null);
});
