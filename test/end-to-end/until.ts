/** Waits for what other processes do. */

const SECONDS = 120;

/** Resolves when `isSo` is; throws after two minutes, saying what `seen` says. */
export async function until(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  seen?: () => string,
): Promise<void> {
  const end = Date.now() + SECONDS * 1000;
  while (!(await isSo())) {
    if (Date.now() > end)
      throw new Error(`expected ${what} within ${SECONDS} s${seen === undefined ? '' : `; seen: ${seen()}`}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
