import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder with these files that ends with the test. A value of lines is joined; columns are written with | and come out as tabs. */
export function folderOf(
  t: { teardown(undo: () => void): void },
  files: Readonly<Record<string, readonly string[] | Uint8Array>>,
): string {
  const folder = mkdtempSync(join(tmpdir(), 'voicegate-list-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content instanceof Uint8Array ? content : `${content.join('\n').replaceAll('|', '\t')}\n`);
  }
  return folder;
}
