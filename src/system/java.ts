/**
 * Finding what a real ZooKeeper needs on this machine: a Java runtime and ZooKeeper's jars. Checked
 * before anything is started, so that what is missing is said at once and with the line that
 * installs it.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const JAVA_MAJOR_MIN = 11;
/** Where Debian's `libzookeeper-java` puts them; the first names all it needs in its manifest. */
const DEBIAN_JARS = ['/usr/share/java/zookeeper.jar', '/usr/share/java/slf4j-simple.jar'];

export const INSTALL_LINE =
  'apt-get install -y --no-install-recommends openjdk-17-jre-headless libzookeeper-java';

/** Something a real ZooKeeper needs is not on this machine. */
export class MissingPrerequisiteError extends Error {
  /** What is not there. */
  readonly problem: string;
  /** What to do about it. */
  readonly fix = `on Debian or Ubuntu install it with: ${INSTALL_LINE}`;

  constructor(problem: string) {
    super();
    this.problem = problem;
    this.message = `${problem}; ${this.fix}\nor name a ZooKeeper that runs already: --zk HOST:PORT`;
    this.name = 'MissingPrerequisiteError';
  }
}

/** The command to use: PORTOLAN_JAVA, JAVA_HOME, PATH. @throws MissingPrerequisiteError */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const home = env['JAVA_HOME'];
  const java = env['PORTOLAN_JAVA'] ?? (home === undefined ? 'java' : join(home, 'bin', 'java'));
  const output = await run(java, ['-version']).then(
    ({ stderr }) => stderr,
    () => {
      throw new MissingPrerequisiteError(`no Java runtime: "${java} -version" does not run`);
    },
  );
  const version = /version "(\d+)(?:\.(\d+))?/.exec(output);
  const major = Number(version?.[1] === '1' ? version[2] : version?.[1]);
  if (!(major >= JAVA_MAJOR_MIN)) {
    throw new MissingPrerequisiteError(`${java} is older than Java ${JAVA_MAJOR_MIN}`);
  }
  return java;
}

/**
 * The class path: PORTOLAN_ZK_CLASSPATH, ZOOKEEPER_HOME/lib, Debian's.
 *
 * @throws MissingPrerequisiteError
 */
export function findClassPath(env: NodeJS.ProcessEnv = process.env): string {
  const given = env['PORTOLAN_ZK_CLASSPATH'];
  if (given !== undefined) return given;
  const home = env['ZOOKEEPER_HOME'];
  if (home !== undefined && existsSync(join(home, 'lib'))) {
    return jarsIn(join(home, 'lib')).join(delimiter);
  }
  const jars = DEBIAN_JARS.filter((jar) => existsSync(jar));
  if (jars[0] !== DEBIAN_JARS[0]) throw new MissingPrerequisiteError('no ZooKeeper jars');
  return jars.join(delimiter);
}

function jarsIn(folder: string): readonly string[] {
  try {
    const jars = readdirSync(folder).filter((name) => name.endsWith('.jar'));
    return jars.map((name) => join(folder, name));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MissingPrerequisiteError(`the ZooKeeper jars cannot be read: ${why}`);
  }
}
