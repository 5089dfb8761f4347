import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { enrolled, otherPin } from '../service/harness.js';
import { temporaryFolder } from '../storage/open-test-store.js';
import { openIvr, someone } from './harness.js';

/** The DTD of VoiceXML 2.1 and its checker come with Debian's w3c-sgml-lib and libxml2-utils. */
const dtd = '/usr/share/xml/w3c-sgml-lib/schema/dtd/REC-voicexml21-20070619/vxml.dtd';
const missing = !existsSync(dtd) || spawnSync('xmllint', ['--version']).error !== undefined;

void t.test(
  'every kind of document is valid by the W3C’s DTD of VoiceXML 2.1',
  { skip: missing ? 'needs Debian packages w3c-sgml-lib and libxml2-utils' : false },
  async (t) => {
    const ivr = await openIvr(t, { transferTo: 'tel:+861010000' });
    await enrolled(ivr, '500001', 1);
    const keys = { newPin: '480215', repeatPin: '480215', consent: '1' };
    const documents = new Set<string>();
    for (const dialogue of ['verify', 'pin-change', 'pin-after-voice', 'enrol']) {
      for (const ends of ['exit', 'return']) {
        for (const caller of [
          someone('500001', { pin: otherPin }),
          someone('999999', { keys: { ...keys, repeatPin: '1' } }),
          someone('500001', { keys, says: () => ({ netSpeechSeconds: 0.4 }) }),
          someone('500001', { keys }),
        ]) {
          const path = `/v1/ivr/vxml/${dialogue}?ends=${ends}&language=${ends === 'exit' ? 'zh' : 'en'}`;
          for (const document of (await ivr.play(path, caller)).documents) documents.add(document);
        }
      }
    }
    t.ok(documents.size > 60);
    const dir = temporaryFolder(t);
    const files = [...documents].map((document, index) => {
      const file = join(dir, `${index}.xml`);
      writeFileSync(file, document);
      return file;
    });
    const { stderr, status } = spawnSync('xmllint', ['--nonet', '--noout', '--dtdvalid', dtd, ...files], {
      encoding: 'utf8',
    });
    t.equal(stderr, '');
    t.equal(status, 0);
  },
);
