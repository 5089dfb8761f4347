import t from 'tap';
import { verifyChain } from '../../src/audit/chain.js';
import type { AuditEntry, AuditEvent } from '../../src/audit/entry.js';
import { signHead } from '../../src/audit/head.js';
import { deriveAuditKeys } from '../../src/audit/keys.js';
import { firstSeal, sealEntry } from '../../src/audit/seal.js';

const keys = deriveAuditKeys(new Uint8Array(32).fill(1));
const otherKeys = deriveAuditKeys(new Uint8Array(32).fill(2));

function chainOf(length: number, tenantId = 'north'): AuditEntry[] {
  const entries: AuditEntry[] = [];
  for (let seq = 1; seq <= length; seq++) {
    const event: AuditEvent = { by: { apiKeyId: 'k1', agentId: null }, kind: 'policy_stored', version: seq };
    entries.push(sealEntry(keys, tenantId, entries.at(-1)?.seal ?? firstSeal, seq, new Date(1e12 + seq), event));
  }
  return entries;
}

function at(entries: readonly AuditEntry[], index: number): AuditEntry {
  const entry = entries.at(index);
  if (entry === undefined) throw new Error(`no entry ${index}`);
  return entry;
}

void t.test('a chain as it was sealed is sound, with and without heads', async (t) => {
  const entries = chainOf(20);
  t.same(await verifyChain(entries, keys, 'north'), { ok: true, entries: 20, lastSeq: 20 });
  const heads = [signHead(keys, 'north', at(entries, 19)), signHead(keys, 'north', at(entries, 4))];
  t.same(await verifyChain(entries, keys, 'north', heads), { ok: true, entries: 20, lastSeq: 20 });
  t.same(await verifyChain([], keys, 'north'), { ok: true, entries: 0, lastSeq: 0 });
});

void t.test('the first broken place is named, with what is wrong there', async (t) => {
  const entries = chainOf(10);
  const otherEvent: AuditEvent = { by: { apiKeyId: 'k1', agentId: null }, kind: 'policy_activated', version: 4 };
  const altered = entries.map((entry) => (entry.seq === 4 ? { ...entry, event: otherEvent } : entry));
  const late = entries.map((entry) => (entry.seq === 6 ? { ...entry, at: new Date(entry.at.getTime() + 1) } : entry));
  const swapped = [...entries.slice(0, 2), at(entries, 3), at(entries, 2), ...entries.slice(4)];
  const twice = [...entries.slice(0, 3), ...entries.slice(2)];
  const renumbered = [...entries.slice(0, 2), ...entries.slice(3).map((entry) => ({ ...entry, seq: entry.seq - 1 }))];
  const foreign = chainOf(10, 'south');
  const forged = sealEntry(otherKeys, 'north', at(entries, 8).seal, 10, at(entries, 9).at, at(entries, 9).event);
  const cases: [string, AuditEntry[], number, string][] = [
    ['an event changed', altered, 4, 'altered'],
    ['a time changed by a millisecond', late, 6, 'altered'],
    ['an entry taken out', entries.filter((entry) => entry.seq !== 5), 5, 'gap'],
    ['the first entry taken out', entries.slice(1), 1, 'gap'],
    ['two entries swapped', swapped, 3, 'gap'],
    ['an entry given twice', twice, 4, 'reordered'],
    ['an entry taken out and the rest renumbered', renumbered, 3, 'altered'],
    ['the chain of another tenant', foreign, 1, 'altered'],
    ['an entry sealed with another key', [...entries.slice(0, 9), forged], 10, 'altered'],
  ];
  for (const [what, given, seq, problem] of cases) {
    t.match(await verifyChain(given, keys, 'north'), { ok: false, entries: seq - 1, seq, problem }, what);
  }
});

void t.test('a cut tail shows against a head, and only there', async (t) => {
  const entries = chainOf(10);
  const kept = signHead(keys, 'north', at(entries, 9));
  const cut = entries.slice(0, 7);
  t.match(await verifyChain(cut, keys, 'north'), { ok: true, lastSeq: 7 });
  const stored = signHead(keys, 'north', at(cut, 6));
  t.match(await verifyChain(cut, keys, 'north', [stored, kept]), { ok: false, seq: 8, problem: 'cut_tail' });
  t.match(await verifyChain([], keys, 'north', [kept]), { ok: false, seq: 1, problem: 'cut_tail' });
});

void t.test('a head that is forged, of another tenant, or of another chain is not believed', async (t) => {
  const entries = chainOf(5);
  const head = signHead(keys, 'north', at(entries, 4));
  const cases: [string, AuditEntry[], typeof head, string][] = [
    ['signed with another key', entries, signHead(otherKeys, 'north', at(entries, 4)), 'head_forged'],
    ['its number changed', entries, { ...head, seq: 4 }, 'head_forged'],
    ['signed for another tenant', entries, signHead(keys, 'south', at(entries, 4)), 'head_mismatch'],
    ['signed for another entry 3', entries, signHead(keys, 'north', { ...at(entries, 1), seq: 3 }), 'head_mismatch'],
  ];
  for (const [what, given, wrong, problem] of cases) {
    t.match(await verifyChain(given, keys, 'north', [wrong]), { ok: false, problem }, what);
  }
});
