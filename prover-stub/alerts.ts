/** Tells an operator what a verifier has found or done: a command that is run, an URL that is posted to, or both. */
import { spawn } from 'node:child_process';

export interface VerifierAlert {
  readonly kind: /** A batch is not what re-execution gives. */
    | 'difference'
    /** No check of the contract takes what was found, or it could not be sent. */
    | 'challenge-failed'
    | 'challenge-committed'
    | 'batch-struck'
    /** Nobody gives the inputs of a batch: they are asked for on L1. */
    | 'inputs-demanded'
    | 'reward-taken';
  readonly batch: number;
  /** In words. */
  readonly sentence: string;
}

export interface AlertOptions {
  /** Run by /bin/sh with the alert as JSON on its standard input. */
  readonly command?: string;
  /** The alert is posted there as JSON. */
  readonly url?: string;
  /** Told when the hook itself does not work. */
  readonly say?: (sentence: string) => void;
}

const ALERT_MS_MAX = 30_000;

/** Never rejects: an alert that can't be told must not stop what it tells of. */
export function alertHook(options: AlertOptions): (alert: VerifierAlert) => Promise<void> {
  const { command, url, say } = options;
  const attempt = async (what: string, how: Promise<void>): Promise<void> => {
    await how.catch((error: unknown) => {
      say?.(`alert by ${what}: ${error instanceof Error ? error.message : String(error)}`);
    });
  };
  return async (alert) => {
    const text = JSON.stringify(alert);
    await Promise.all([
      ...(command === undefined ? [] : [attempt('command', runCommand(command, text))]),
      ...(url === undefined ? [] : [attempt(url, post(url, text))]),
    ]);
  };
}

function runCommand(command: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], {
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: ALERT_MS_MAX,
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`expected exit code 0, got ${code ?? 'none in time'}`));
    });
    // A command that does not read what it is told is no failure.
    child.stdin.on('error', () => {});
    child.stdin.end(text);
  });
}

async function post(url: string, text: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: text,
    signal: AbortSignal.timeout(ALERT_MS_MAX),
  });
  if (!response.ok) throw new Error(`expected a 2xx status, got ${response.status}`);
}
