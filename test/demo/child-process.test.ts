/** Processes of a demo: awaited by their health, ended in order, never orphaned, their last words kept. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PACKAGE_ROOT, RoleError, startProcess } from '#client/demo/child-process.ts';
import { freePort } from '#client/demo/supervisor.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'sluice-child-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const spec = (health?: string) => ({
  name: 'tester',
  arguments: [],
  logFile: path.join(directory, 'tester.log'),
  ...(health === undefined ? {} : { health }),
});
const script = (code: string): string[] => ['--input-type=module', '--eval', code];
const server = (port: number): string =>
  `import { createServer } from 'node:http';
   let asked = 0;
   createServer((_, response) => response.writeHead(++asked < 3 ? 503 : 200).end()).listen(${port}, '127.0.0.1');
   console.log('listening');
   process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });`;

/** True while a process with this id is there. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('a role in a process', () => {
  test('counts as started when its health endpoint says so, and ends when asked', async () => {
    const port = await freePort(0, 'test');
    const role = await startProcess(spec(`http://127.0.0.1:${port}/`), script(server(port)));
    expect(isAlive(role.pid)).toBe(true);
    await role.stop();
    expect(role.exitCode).toBe(0);
    expect(isAlive(role.pid)).toBe(false);
    await until(() => readFileSync(path.join(directory, 'tester.log'), 'utf8').includes('bye'));
    expect(readFileSync(path.join(directory, 'tester.log'), 'utf8')).toBe('listening\nbye\n');
  });

  test('that ends before it is ready rejects with its own sentence, not with its stack or log lines', async () => {
    const words = `console.error('{"level":50,"msg":"json"}'); console.error('error X: port 1 is in use');
      console.error('    at somewhere (file.js:1)'); process.exit(3);`;
    const port = await freePort(0, 'test');
    await expect(startProcess(spec(`http://127.0.0.1:${port}/`), script(words))).rejects.toThrow(
      new RoleError('tester: port 1 is in use'),
    );
  });

  test('that ends by itself later tells it', async () => {
    const role = await startProcess(spec(), script(`setTimeout(() => process.exit(7), 50)`));
    expect(await role.ended).toBe(`tester: ended with code 7; see ${path.join(directory, 'tester.log')}`);
  });

  test('that does not listen is ended by force', async () => {
    const port = await freePort(0, 'test');
    const deaf = server(port).replace(/process.on\(.*\);$/, "process.on('SIGTERM', () => {});");
    const role = await startProcess(spec(`http://127.0.0.1:${port}/`), script(deaf));
    await role.stop(100);
    expect(isAlive(role.pid)).toBe(false);
    expect(await role.ended).toMatch(/was ended by SIGKILL/);
  });

  test('does not outlive the one who started it, however that one ended', async () => {
    const starter = `
      import { startProcess } from ${JSON.stringify(path.join(PACKAGE_ROOT, 'client/demo/child-process.ts'))};
      const role = await startProcess(
        { name: 'tester', arguments: [], logFile: ${JSON.stringify(path.join(directory, 'tester.log'))} },
        ['--input-type=module', '--eval', 'setInterval(() => {}, 1000)'],
      );
      console.log(role.pid);`;
    const parent = spawn(process.execPath, ['--import', 'tsx', ...script(starter)], {
      cwd: PACKAGE_ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (data: Buffer) => resolve(Number(data.toString())));
    });
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
    expect(isAlive(pid)).toBe(false);
  });
});

test('a port that is taken is named with what to do', async () => {
  const { createServer } = await import('node:net');
  const taken = createServer();
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
  });
  await expect(freePort(port, '--port')).rejects.toThrow(
    `--port: port ${port} on 127.0.0.1 is in use: stop what uses it, or choose another (0: any free one)`,
  );
  await new Promise((resolve) => taken.close(resolve));
  expect(await freePort(port, '--port')).toBe(port);
});
