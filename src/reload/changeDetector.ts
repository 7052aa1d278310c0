/**
 * Decides when files that are looked at again and again are to be read: when they differ from what was read last, and have not
 * changed since the look before, so that whoever writes them has finished.
 */
export class ChangeDetector {
  #seen: string | undefined;
  #read: string | undefined;

  /**
   * Takes what was seen of the files and says whether to read them now. They are read once in the beginning, too, because they may
   * have changed while the process started.
   */
  look(signature: string): boolean {
    const isSettled = signature === this.#seen;
    this.#seen = signature;
    if (!isSettled || signature === this.#read) return false;
    this.#read = signature;
    return true;
  }
}
