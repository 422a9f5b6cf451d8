/**
 * Golden stories of a replica group. Each file begins with a comment that says what it is about,
 * then has blocks: commands, `----`, what they show. `UPDATE=1` writes down what they show now; the
 * commands are explained in `group-story.ts`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { GroupStory } from '../support/group-story.js';

const folder = fileURLToPath(new URL('replication/', import.meta.url));

/** The story with what its commands show now. */
function retold(text: string): string {
  const story = new GroupStory();
  const lines: string[] = [];
  let seen: string[] = [];
  let isExpected = false;
  for (const line of text.trimEnd().split('\n')) {
    if (line === '----') {
      lines.push(line, ...seen);
      seen = [];
      isExpected = true;
    } else if (line === '') {
      isExpected = false;
      lines.push(line);
    } else if (!isExpected) {
      lines.push(line);
      const command = line.replace(/#.*$/, '').trim();
      if (command !== '') seen.push(...story.tell(command));
    }
  }
  if (seen.length > 0) throw new Error('commands without ---- at the end of the story');
  return `${lines.join('\n')}\n`;
}

describe('stories of a replica group', () => {
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name);
    const text = readFileSync(file, 'utf8');
    const title = /^# (.*)$/m.exec(text)?.[1] ?? '';
    it(`${name}: ${title}`, () => {
      expect(title).not.toBe('');
      const now = retold(text);
      if (process.env['UPDATE'] === '1') writeFileSync(file, now);
      else expect(now).toBe(text);
    });
  }
});
