/**
 * The verifier as a program: it needs an L1 and a directory, nothing else.
 *
 *   const running = await runVerifier({ l1: 'http://127.0.0.1:8545', data: 'data/verifier', port: 0 });
 *   running.url, running.status() …; await running.stop();
 *
 *   const { verdict, sentence } = await verifyOnce({ l1: 'http://127.0.0.1:8545' });
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addressOfKey } from '#auth/sign-digest.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { type Address, connectL1, type L1Client, withKey } from '#settlement/l1/client.ts';
import { findRollup, type RollupContracts } from '#settlement/l1/contracts.ts';
import { L1Error } from '#settlement/l1/errors.ts';
import { type AlertOptions, alertHook, type VerifierAlert } from './alerts.ts';
import { Challenger, type ChallengerStatus } from './challenger.ts';
import { Demander, type DemanderStatus } from './demander.ts';
import type { Difference } from './difference.ts';
import { Finalizer, FinalizerError, type FinalizerStatus } from './finalizer.ts';
import { verifierMetrics } from './metrics.ts';
import { AttestingProver } from './prover.ts';
import { serveVerifier } from './server.ts';
import { type SignerSource, signersHere, signersInThreads } from './signers.ts';
import { Verifier } from './verifier.ts';
import type { VerifierStatus } from './verifier-status.ts';

export interface VerifierSettings {
  /** JSON-RPC. */
  readonly l1: string;
  /** Found by itself where L1 has only one. */
  readonly rollup?: Address;
  /** Signs attestations of verified batches; 32 bytes. */
  readonly key?: Uint8Array;
  /** Threads that recover signatures; 0: none but this one. Default 1. */
  readonly workers?: number;
  /** Commands between two snapshots. */
  readonly snapshotEvery?: number;
  /** HTTP base URLs of the sequencer and other verifiers, who are asked for inputs that are not on L1. */
  readonly peers?: readonly string[];
  /** HTTP base URL of a beacon node, for inputs in blobs; development chains need none. */
  readonly beacon?: string;
  /** Between polls of L1, ms; default 1,000, on a development chain 100. */
  readonly pollMs?: number;
  /** What an operator should know, in sentences. */
  readonly say?: (sentence: string) => void;
}

export interface RunOptions extends VerifierSettings {
  /** Directory of its own; made when it is not there. */
  readonly data: string;
  /** Pays on L1 to strike what is wrong, and is paid for it; 32 bytes. Without it the verifier only watches. */
  readonly challengeKey?: Uint8Array;
  /** Whether that key also demands inputs that nobody gives, and strikes who withholds them; default true. */
  readonly demand?: boolean;
  /** How long peers have before a demand is paid for, ms. */
  readonly patienceMs?: number;
  /**
   * Pays on L1 to make verified batches final by the proofs that `key` signs; 32 bytes, used by nothing else. Refused
   * where the rollup does not trust them.
   */
  readonly finalizeKey?: Uint8Array;
  /** Who is told of what is found and done. */
  readonly alerts?: Pick<AlertOptions, 'command' | 'url'>;
  /** Of its HTTP; 0: any free one. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
}

export interface RunningVerifier {
  /** HTTP: server.ts. */
  readonly url: string;
  readonly rollup: Address;
  /** Resolves when it can't go on, which is not a matter of L1 or of what is posted. */
  readonly failed: Promise<Error>;
  status(): VerifierStatus;
  /** Undefined while it only watches. */
  challenges(): ChallengerStatus | undefined;
  /** Undefined while it demands nothing. */
  demands(): DemanderStatus | undefined;
  /** Undefined while batches become final by time alone. */
  proofs(): FinalizerStatus | undefined;
  stop(): Promise<void>;
}

/** A pause after L1 did not answer, in polls. */
const TROUBLE_POLLS = 5;
/** Calls in a row without an answer of L1 or progress, after which verifyOnce can't tell. */
const ATTEMPTS_MAX = 5;

/** Rejects with `L1Error`, `VerifierStoreError` and `FinalizerError`, whose messages say what to do. */
export async function runVerifier(options: RunOptions): Promise<RunningVerifier> {
  const opened = await open(options, options.data);
  const { verifier, pollMs, rollup } = opened;
  try {
    const alert = alertHook({
      ...options.alerts,
      ...(options.say === undefined ? {} : { say: options.say }),
    });
    const challenger =
      options.challengeKey === undefined
        ? undefined
        : await openChallenger(opened, options.challengeKey, { alert, say: options.say });
    const finalizer =
      options.finalizeKey === undefined
        ? undefined
        : await openFinalizer(opened, options.finalizeKey, options);
    const demander = openDemander(opened, options, alert);
    const server = await serveVerifier(verifier, {
      host: options.host ?? '127.0.0.1',
      port: options.port,
      metrics: verifierMetrics(() => verifier.status(), {
        ...(challenger === undefined ? {} : { challenges: () => challenger.status() }),
        ...(finalizer === undefined ? {} : { proofs: () => finalizer.status() }),
        ...(demander === undefined ? {} : { demands: () => demander.status() }),
      }),
      ...(challenger === undefined ? {} : { challenges: () => challenger.status() }),
      ...(finalizer === undefined ? {} : { proofs: () => finalizer.status() }),
      ...(demander === undefined ? {} : { demands: () => demander.status() }),
    });
    const stopping = new AbortController();
    const loop = follow({ verifier, challenger, demander, finalizer, alert }, pollMs, stopping.signal);
    let stopped: Promise<void> | undefined;
    return {
      url: server.url,
      rollup,
      failed: loop.then(
        () => new Promise<Error>(() => {}),
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      ),
      status: () => verifier.status(),
      challenges: () => challenger?.status(),
      demands: () => demander?.status(),
      proofs: () => finalizer?.status(),
      stop: () => {
        stopped ??= (async () => {
          stopping.abort();
          await server.close();
          // Who waits for a transaction keeps what came of it before the store is closed.
          if (challenger !== undefined || finalizer !== undefined) await loop.catch(() => {});
          await opened.close();
          await loop.catch(() => {});
        })();
        return stopped;
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

export interface OnceOptions extends VerifierSettings {
  /** Default: a directory that is gone afterwards. */
  readonly data?: string;
}

export interface Verdict {
  /** `unknown`: L1 could not be read to its end. */
  readonly verdict: 'verified' | 'different' | 'unknown';
  readonly sentence: string;
  readonly difference?: Difference;
  /** Undefined when not even the rollup was found. */
  readonly status?: VerifierStatus;
}

/** Verifies everything that is on L1 by now. Rejects only for reasons of this machine. */
export async function verifyOnce(options: OnceOptions): Promise<Verdict> {
  const data = options.data ?? (await mkdtemp(path.join(tmpdir(), 'sluice-verifier-')));
  try {
    const opened = await open(options, data);
    try {
      return await settle(opened.verifier, opened.pollMs);
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (!(error instanceof L1Error)) throw error;
    return { verdict: 'unknown', sentence: error.message };
  } finally {
    if (options.data === undefined) await rm(data, { recursive: true, force: true });
  }
}

async function settle(verifier: Verifier, pollMs: number): Promise<Verdict> {
  for (let attempt = 1, seen = ''; ; ) {
    try {
      if (await verifier.step()) break;
      attempt = 1;
    } catch (error) {
      if (!(error instanceof L1Error)) throw error;
      const { verified, l1 } = verifier.status();
      const now = `${verified} ${l1.block}`;
      attempt = now === seen ? attempt + 1 : 1;
      seen = now;
      if (attempt > ATTEMPTS_MAX)
        return { verdict: 'unknown', sentence: error.message, status: verifier.status() };
      await pause(pollMs * attempt);
    }
  }
  const status = verifier.status();
  const { difference, verdict } = status;
  return difference === null
    ? { verdict: 'verified', sentence: verdict, status }
    : { verdict: 'different', sentence: verdict, difference, status };
}

interface Opened {
  readonly verifier: Verifier;
  readonly rollup: Address;
  readonly pollMs: number;
  readonly l1: L1Client;
  readonly contracts: RollupContracts;
  readonly keccak: Keccak;
  close(): Promise<void>;
}

async function open(settings: VerifierSettings, data: string): Promise<Opened> {
  await mkdir(data, { recursive: true });
  const l1 = await connectL1({
    url: settings.l1,
    ...(settings.pollMs === undefined ? {} : { pollMs: settings.pollMs }),
  });
  const rollup = await findRollup(l1, settings.rollup === undefined ? {} : { address: settings.rollup });
  const keccak = await createWasmKeccak();
  const { key, say, workers = 1 } = settings;
  const signers: SignerSource =
    workers === 0
      ? signersHere(rollup.domain, keccak)
      : await signersInThreads(rollup.domain, keccak, {
          workers,
          onFatal: (error) => say?.(`${error.message}; signatures are recovered in the main thread`),
        });
  try {
    const verifier = await Verifier.open({
      ...{ l1, rollup, data, keccak, signers },
      inputs: {
        ...(settings.peers === undefined ? {} : { peers: settings.peers }),
        ...(settings.beacon === undefined ? {} : { beacon: settings.beacon }),
      },
      ...(key === undefined ? {} : { prover: new AttestingProver(key, rollup.domain, keccak) }),
      ...(settings.snapshotEvery === undefined ? {} : { snapshotEvery: settings.snapshotEvery }),
      ...(say === undefined ? {} : { say }),
    });
    return {
      verifier,
      rollup: rollup.rollup,
      pollMs: l1.pollMs,
      ...{ l1, contracts: rollup, keccak },
      close: async () => {
        await verifier.close();
        await signers.close();
      },
    };
  } catch (error) {
    await signers.close();
    throw error;
  }
}

function openChallenger(
  { verifier, l1, contracts, keccak }: Opened,
  secret: Uint8Array,
  {
    alert,
    say,
  }: { alert: (alert: VerifierAlert) => Promise<void>; say: ((sentence: string) => void) | undefined },
): Promise<Challenger> {
  return Challenger.open({
    ...{ verifier, rollup: contracts, keccak, secret, alert },
    l1: withKey(l1, toHex(secret)),
    ...(say === undefined ? {} : { say }),
  });
}

function openDemander(
  { verifier, l1, contracts }: Opened,
  { challengeKey, demand, patienceMs, say }: RunOptions,
  alert: (alert: VerifierAlert) => Promise<void>,
): Demander | undefined {
  if (challengeKey === undefined || demand === false) return undefined;
  return new Demander({
    ...{ verifier, rollup: contracts, alert },
    l1: withKey(l1, toHex(challengeKey)),
    ...(patienceMs === undefined ? {} : { patienceMs }),
    ...(say === undefined ? {} : { say }),
  });
}

function openFinalizer(
  { verifier, l1, contracts, keccak }: Opened,
  secret: Uint8Array,
  { key, say }: Pick<RunOptions, 'key' | 'say'>,
): Promise<Finalizer> {
  if (key === undefined)
    throw new FinalizerError('finalize: expected a key that signs the proofs of verified batches, got none');
  return Finalizer.open({
    ...{ verifier, rollup: contracts, attester: addressOfKey(key, keccak) },
    l1: withKey(l1, toHex(secret)),
    ...(say === undefined ? {} : { say }),
  });
}

interface Following {
  readonly verifier: Verifier;
  readonly challenger: Challenger | undefined;
  readonly demander: Demander | undefined;
  readonly finalizer: Finalizer | undefined;
  readonly alert: (alert: VerifierAlert) => Promise<void>;
}

/** Steps until told to stop; rejects with anything that is not an L1Error. */
async function follow(
  { verifier, challenger, demander, finalizer, alert }: Following,
  pollMs: number,
  signal: AbortSignal,
): Promise<void> {
  let told = '';
  while (!signal.aborted) {
    let wait = 0;
    try {
      if (await verifier.step()) wait = pollMs;
    } catch (error) {
      if (!(error instanceof L1Error) && !signal.aborted) throw error;
      wait = pollMs * TROUBLE_POLLS;
    }
    if (signal.aborted) return;
    const { difference } = verifier.status();
    const sentence = difference?.sentence ?? '';
    if (difference !== null && sentence !== told)
      await alert({ kind: 'difference', batch: difference.batch, sentence });
    told = sentence;
    if (challenger !== undefined && !(await challenger.step())) wait = 0;
    if (demander !== undefined && !signal.aborted && !(await demander.step())) wait = 0;
    if (finalizer !== undefined && !signal.aborted && !(await finalizer.step())) wait = 0;
    if (!signal.aborted && wait > 0) await pause(wait, signal);
  }
}

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done);
  });
