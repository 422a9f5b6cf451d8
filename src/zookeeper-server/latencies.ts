/** How long requests took, since the start, in whole milliseconds. */
export class Latencies {
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  add(ms: number): void {
    this.#count++;
    this.#sum += ms;
    this.#min = Math.min(this.#min, ms);
    this.#max = Math.max(this.#max, ms);
  }

  read(): { readonly min: number; readonly mean: number; readonly max: number } {
    if (this.#count === 0) return { min: 0, mean: 0, max: 0 };
    const mean = Math.round((this.#sum / this.#count) * 10_000) / 10_000;
    return { min: Math.floor(this.#min), mean, max: Math.ceil(this.#max) };
  }
}
