// Keeps, in the file named by PORTOLAN_RUNNING, which tests are under way: what a run that hangs is
// waiting for. The workers may be too busy to say so; this runs beside them.
import { writeFileSync } from 'node:fs';

export default class RunningReporter {
  #running = new Set();

  onTestModuleStart(module) {
    this.#change('add', module.relativeModuleId);
  }
  onTestModuleEnd(module) {
    this.#change('delete', module.relativeModuleId);
  }
  onTestCaseReady(test) {
    this.#change('add', titleOf(test));
  }
  onTestCaseResult(test) {
    this.#change('delete', titleOf(test));
  }

  #change(how, name) {
    this.#running[how](name);
    const file = process.env.PORTOLAN_RUNNING;
    if (file !== undefined) writeFileSync(file, [...this.#running].join('\n'));
  }
}

function titleOf(test) {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}
