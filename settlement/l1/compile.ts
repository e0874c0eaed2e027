/**
 * Compiles settlement/contracts with npm's solc and keeps the result in .cache/contracts, keyed by a hash of
 * compiler, settings and sources: `compileContracts()` is a file read unless something changed.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Abi } from 'viem';
import { L1Error } from './errors.ts';

export const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CONTRACTS = 'settlement/contracts';
const CACHE = '.cache/contracts';

/** Contracts that are deployed, and where they stand. */
const DEPLOYED = {
  Rollup: `${CONTRACTS}/Rollup.sol`,
  Queue: `${CONTRACTS}/Queue.sol`,
  Vault: `${CONTRACTS}/Vault.sol`,
  PlaceSteps: `${CONTRACTS}/step/families/PlaceSteps.sol`,
  MatchSteps: `${CONTRACTS}/step/families/MatchSteps.sol`,
  StepProver: `${CONTRACTS}/step/StepProver.sol`,
  Challenges: `${CONTRACTS}/Challenges.sol`,
  Demands: `${CONTRACTS}/Demands.sol`,
  Equivocation: `${CONTRACTS}/Equivocation.sol`,
  EscapeHatch: `${CONTRACTS}/EscapeHatch.sol`,
  AccountSteps: `${CONTRACTS}/step/families/AccountSteps.sol`,
  MoneySteps: `${CONTRACTS}/step/families/MoneySteps.sol`,
  QueueSteps: `${CONTRACTS}/step/families/QueueSteps.sol`,
  MarketSteps: `${CONTRACTS}/step/families/MarketSteps.sol`,
  ConfigureSteps: `${CONTRACTS}/step/families/ConfigureSteps.sol`,
  LiquidationSteps: `${CONTRACTS}/step/families/LiquidationSteps.sol`,
  IsolationSteps: `${CONTRACTS}/step/families/IsolationSteps.sol`,
  StubVerifier: `${CONTRACTS}/verifiers/StubVerifier.sol`,
  TestToken: `${CONTRACTS}/devnet/TestToken.sol`,
} as const;
export type ContractName = keyof typeof DEPLOYED;

export interface Artifact {
  readonly abi: Abi;
  /** Creation code. */
  readonly bytecode: `0x${string}`;
  /** Runtime size in bytes; EIP-170 allows 24,576. */
  readonly runtimeBytes: number;
}
export type Artifacts = Readonly<Record<ContractName, Artifact>>;

/** The same as in foundry.toml: forge tests what is deployed. */
export const COMPILER_SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'prague',
  metadata: { bytecodeHash: 'none', appendCBOR: false },
} as const;

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, CompiledContract>>>>;
}
interface CompiledContract {
  readonly abi: Abi;
  readonly evm: {
    readonly bytecode: { readonly object: string };
    readonly deployedBytecode: { readonly object: string };
  };
}

/** Rejects with `L1Error` code `compile` (the compiler's messages in `details`). */
export async function compileContracts(): Promise<Artifacts> {
  const sources = await readSources();
  const require = createRequire(import.meta.url);
  const { version } = require('solc/package.json') as { version: string };
  const key = createHash('sha256')
    .update(JSON.stringify({ version, COMPILER_SETTINGS, sources, DEPLOYED }))
    .digest('hex');
  const cached = path.join(PROJECT_ROOT, CACHE, `${key}.json`);
  const found = await readCached(cached);
  if (found !== undefined) return found;
  const artifacts = compile(sources, require('solc') as { compile(input: string): string });
  await writeCached(cached, artifacts);
  return artifacts;
}

function compile(sources: Record<string, string>, solc: { compile(input: string): string }): Artifacts {
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(Object.entries(sources).map(([name, content]) => [name, { content }])),
    settings: {
      ...COMPILER_SETTINGS,
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as CompilerOutput;
  const errors = (output.errors ?? []).filter((error) => error.severity === 'error');
  if (errors.length > 0)
    throw new L1Error('compile', 'contracts: expected to compile, got errors', {
      details: errors.map((error) => error.formattedMessage).join('\n'),
    });
  const artifact = (name: ContractName): Artifact => {
    const contract = output.contracts?.[DEPLOYED[name]]?.[name];
    if (contract === undefined)
      throw new L1Error('compile', `contracts: expected ${name} in ${DEPLOYED[name]}, got none`);
    return {
      abi: contract.abi,
      bytecode: `0x${contract.evm.bytecode.object}`,
      runtimeBytes: contract.evm.deployedBytecode.object.length / 2,
    };
  };
  const names = Object.keys(DEPLOYED) as ContractName[];
  return Object.fromEntries(names.map((name) => [name, artifact(name)])) as Artifacts;
}

async function readSources(): Promise<Record<string, string>> {
  const entries = await readdir(path.join(PROJECT_ROOT, CONTRACTS), { recursive: true });
  const names = entries
    .filter((entry) => entry.endsWith('.sol'))
    .map((entry) => `${CONTRACTS}/${entry.split(path.sep).join('/')}`)
    .sort();
  const contents = await Promise.all(names.map((name) => readFile(path.join(PROJECT_ROOT, name), 'utf8')));
  return Object.fromEntries(names.map((name, i) => [name, contents[i]!]));
}

async function readCached(file: string): Promise<Artifacts | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Artifacts;
  } catch {
    // Not there, or cut short by a killed process: compiled anew.
    return undefined;
  }
}

/** A cache that can't be written only costs time. Renamed into place, so that readers never see half a file. */
async function writeCached(file: string, artifacts: Artifacts): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(temporary, JSON.stringify(artifacts));
    await rename(temporary, file);
  } catch {}
}
