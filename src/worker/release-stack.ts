type Release = () => unknown;

/** What has been taken and must be given back, the last one first. */
export class ReleaseStack {
  readonly #releases: { readonly what: string; readonly release: Release }[] = [];

  add(what: string, release: Release): void {
    this.#releases.push({ what, release });
  }

  /** Gives everything back, also where some of it fails; returns what failed. */
  async release(): Promise<readonly { readonly what: string; readonly error: unknown }[]> {
    const failed: { what: string; error: unknown }[] = [];
    for (let next = this.#releases.pop(); next; next = this.#releases.pop()) {
      const { what, release } = next;
      try {
        await release();
      } catch (error) {
        failed.push({ what, error });
      }
    }
    return failed;
  }
}
