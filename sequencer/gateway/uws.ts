/** Loads uWebSockets.js, or says in one sentence what its binaries need. */

export type UwsModule = typeof import('uWebSockets.js');

/** What to do when the binary for this machine does not load. */
export function loadFailureSentence(machine: { node: string; glibc: string }): string {
  return (
    `uWebSockets.js: expected Node 20 with glibc 2.27 or later, or Node 22 or 24 with glibc 2.38 or later, ` +
    `got Node ${machine.node} with ${machine.glibc}; install Node 20, or a newer system, and run npm ci again`
  );
}

function thisMachine(): { node: string; glibc: string } {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const version = report.header?.glibcVersionRuntime;
  return {
    node: process.versions.node,
    glibc: version === undefined ? `no glibc (${process.platform})` : `glibc ${version}`,
  };
}

/** Rejects with that sentence and the loader's own error as cause. */
export async function loadUws(
  load: () => Promise<{ default: UwsModule }> = () =>
    import('uWebSockets.js') as unknown as Promise<{ default: UwsModule }>,
): Promise<UwsModule> {
  try {
    return (await load()).default;
  } catch (cause) {
    throw new Error(loadFailureSentence(thisMachine()), { cause });
  }
}
