import t from 'tap';
import { DOMParser } from '@xmldom/xmldom';
import { element, writeXml } from '../../src/ivr/xml.js';

void t.test(
  'whatever stands in text and attributes comes out of a parser as it was, or as the sign for what XML cannot hold',
  async (t) => {
    const table: [string, string][] = [
      ['"><exit/><a b="', '"><exit/><a b="'],
      [`&amp; & <![CDATA[ ]]> <!-- -- '`, `&amp; & <![CDATA[ ]]> <!-- -- '`],
      ['请说 😀 é', '请说 😀 é'],
      ['a\tb\nc\rd', 'a\tb\nc\rd'],
      ['\u0000\u0001\u001f\u007f', '\ufffd\ufffd\ufffd\u007f'],
      ['\ud800 \udc00 \ufffe\uffff', '\ufffd \ufffd \ufffd\ufffd'],
      ['x'.repeat(10_000), 'x'.repeat(10_000)],
    ];
    for (const [given, expected] of table) {
      const xml = writeXml(element('a', { b: given, left: undefined }, given, null, element('c', {}, given)));
      const root = new DOMParser({
        onError: (level, message) => level === 'warning' || t.fail(String(message)),
      }).parseFromString(xml, 'text/xml').documentElement;
      t.equal(root?.getAttribute('b'), expected);
      t.equal(root?.firstChild?.nodeValue, expected);
      t.equal(root?.lastChild?.textContent, expected);
      t.equal(root?.hasAttribute('left'), false);
      t.equal(root?.childNodes.length, 2);
    }
  },
);
