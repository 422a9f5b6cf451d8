/** Whether planted bugs are sound TypeScript: one compiler, one file of it changed at a time. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { filesOf, type Mutant, mutated } from './mutant.js';

export class TypeCheck {
  readonly #root: string;
  readonly #service: ts.LanguageService;
  /** What is planted, by file, and how often its file was changed. */
  readonly #texts = new Map<string, string>();
  readonly #versions = new Map<string, number>();

  constructor(root: string, files: readonly string[]) {
    this.#root = root;
    const config = join(root, 'tsconfig.json');
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(config, (path) => readFileSync(path, 'utf8')).config,
      ts.sys,
      dirname(config),
    );
    this.#service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => files.map((file) => join(root, file)),
      getScriptVersion: (path) => `${this.#versions.get(path) ?? 0}`,
      getScriptSnapshot: (path) => {
        const text = this.#texts.get(path);
        if (text === undefined && !existsSync(path)) return undefined;
        return ts.ScriptSnapshot.fromString(text ?? readFileSync(path, 'utf8'));
      },
      getCurrentDirectory: () => root,
      getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
      fileExists: (path) => ts.sys.fileExists(path),
      readFile: (path) => ts.sys.readFile(path),
      directoryExists: (path) => ts.sys.directoryExists(path),
      getDirectories: (path) => ts.sys.getDirectories(path),
    });
  }

  /** What the compiler says of the files that a mutant changes. */
  problemsOf(mutant: Mutant): readonly string[] {
    const paths = filesOf(mutant).map((file) => [join(this.#root, file), file] as const);
    for (const [path, file] of paths) {
      this.#set(path, mutated(readFileSync(path, 'utf8'), file, mutant));
    }
    const problems = paths.flatMap(([path]) => {
      const found = [
        ...this.#service.getSyntacticDiagnostics(path),
        ...this.#service.getSemanticDiagnostics(path),
      ];
      return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
    });
    for (const [path] of paths) this.#set(path, undefined);
    return problems;
  }

  #set(path: string, text: string | undefined): void {
    if (text === undefined) this.#texts.delete(path);
    else this.#texts.set(path, text);
    this.#versions.set(path, (this.#versions.get(path) ?? 0) + 1);
  }
}
