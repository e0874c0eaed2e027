/** Copies a folder with what is in it, durably; nobody may be writing there. */
import { copyFile, mkdir, open, readdir } from 'node:fs/promises';

/** `wanted`: by name; folders within the folder are copied whole. */
export async function copyFiles(
  from: string,
  into: string,
  wanted: (name: string) => boolean = () => true,
): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!wanted(entry.name)) continue;
    const path = `${into}/${entry.name}`;
    if (entry.isDirectory()) await copyFiles(`${from}/${entry.name}`, path);
    else {
      await copyFile(`${from}/${entry.name}`, path);
      await synced(path);
    }
  }
  await synced(into);
}

async function synced(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
