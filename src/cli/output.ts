/** Data goes to stdout and nothing else does. A reader that leaves early is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.stderr.on('error', () => undefined);

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** For people, while the data waits. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Columns under their headings, as wide as they need to be; numbers to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) => {
    return Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0));
  });
  const line = (cells: readonly string[]) => {
    return cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return /^\d[\d,]*$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  };
  return [line(headings), ...rows.map(line)].map((text) => `  ${text}`).join('\n');
}
