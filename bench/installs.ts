/** Replicas that had to get all data because no log reached back far enough, as the logs have it. */
export class Installs {
  #count = 0;

  /** A line of the log of any member, as JSON. */
  hear(text: string): void {
    if (text.includes('"msg":"peer-needs-install"')) this.#count++;
  }

  /** Those that were needed since this was asked last. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}
