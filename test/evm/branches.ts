/**
 * The ifs of the contracts' own source, found in the code that the compiler makes of them without its optimizer: there
 * each if, loop, choice, && and || is one JUMPI of its own. What the compiler adds (overflow, bounds, ABI) has other
 * places in the source, and is left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fromHex } from '#protocol/bytes.ts';
import { COMPILER_SETTINGS, PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { STEP_FAMILIES } from '#settlement/l1/step-prover.ts';
import { type Code, readCode } from './code.ts';

/** One way of one condition. */
export interface Branch {
  readonly file: string;
  readonly line: number;
  /** The condition's text, on one line. */
  readonly condition: string;
  readonly way: boolean;
}

export interface WatchedContract {
  readonly code: Code;
  /** By place of a JUMPI: the branches when it does not jump, and when it does; absent where the compiler made it. */
  readonly branches: ReadonlyMap<number, readonly [stays: number, jumps: number]>;
}

export interface WatchedContracts {
  readonly branches: readonly Branch[];
  readonly contracts: ReadonlyMap<string, WatchedContract>;
}

/**
 * Contracts of StepProver and its families, by name; `families` gives the addresses that they are called at, by the names
 * of StepProver's immutables. Those without a family are zero.
 */
export function watchContracts(families: Readonly<Record<string, bigint>>): WatchedContracts {
  const output = compile();
  const conditions = new Conditions(output);
  const contracts = new Map<string, WatchedContract>();
  for (const name of ['StepProver', ...STEP_FAMILIES]) {
    const file = name === 'StepProver' ? `${STEP}/StepProver.sol` : `${STEP}/families/${name}.sol`;
    const { deployedBytecode } = output.contracts[file]![name]!.evm;
    const bytes = fromHex(deployedBytecode.object);
    for (const [id, places] of Object.entries(deployedBytecode.immutableReferences))
      for (const { start } of places)
        writeWord(bytes, start, families[conditions.variables.get(Number(id))!] ?? 0n);
    const code = readCode(bytes);
    contracts.set(name, { code, branches: conditions.placesIn(code, deployedBytecode.sourceMap) });
  }
  return { branches: conditions.branches, contracts };
}

const CONTRACTS = 'settlement/contracts';
const STEP = `${CONTRACTS}/step`;
const JUMPI = 0x57;

interface Node {
  readonly condition?: unknown;
  readonly value?: unknown;
  readonly leftExpression?: unknown;
  readonly nodeType?: string;
  readonly id?: number;
  readonly name?: string;
  readonly src?: string;
  readonly operator?: string;
  readonly [field: string]: unknown;
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly sources: Readonly<Record<string, { readonly id: number; readonly ast: Node }>>;
  readonly contracts: Readonly<Record<string, Readonly<Record<string, Contract>>>>;
}
interface Contract {
  readonly evm: {
    readonly deployedBytecode: {
      readonly object: string;
      readonly sourceMap: string;
      readonly immutableReferences: Readonly<Record<string, readonly { readonly start: number }[]>>;
    };
  };
}

function sources(): Record<string, { content: string }> {
  const folders = [STEP, `${CONTRACTS}/libraries`];
  const names = folders.flatMap((folder) =>
    readdirSync(join(PROJECT_ROOT, folder), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.sol'))
      .map((name) => `${folder}/${name}`),
  );
  return Object.fromEntries(
    names
      .filter((name) => name.startsWith(STEP) || /\/(PartialTree|TreeProof)\.sol$/.test(name))
      .map((name) => [name, { content: readFileSync(join(PROJECT_ROOT, name), 'utf8') }]),
  );
}

function compile(): Output {
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string };
  const input = {
    language: 'Solidity',
    sources: sources(),
    settings: {
      ...COMPILER_SETTINGS,
      optimizer: { enabled: false },
      outputSelection: { '*': { '': ['ast'], '*': ['evm.deployedBytecode'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'));
  return output;
}

function writeWord(bytes: Uint8Array, at: number, value: bigint): void {
  for (let n = 0; n < 32; n++) bytes[at + n] = Number((value >> BigInt(248 - 8 * n)) & 0xffn);
}

/** Where an own condition stands, and which way its JUMPI goes when it holds. */
interface Condition {
  readonly text: Node;
  readonly jumpsWhen: boolean;
}

/** The condition of a node, if it decides something. */
function conditionOf(node: Node): Condition | undefined {
  const of = (text: unknown, jumpsWhen: boolean): Condition => ({ text: text as Node, jumpsWhen });
  switch (node.nodeType) {
    case 'IfStatement':
    case 'WhileStatement':
    case 'ForStatement':
    case 'YulIf':
    case 'YulForLoop':
      return of(node.condition, false);
    case 'Conditional':
      return of(node.condition, true);
    case 'YulCase':
      // A default is what no case was.
      return node.value === 'default' ? undefined : of(node.value, true);
    case 'BinaryOperation':
      if (node.operator === '&&') return of(node.leftExpression, false);
      return node.operator === '||' ? of(node.leftExpression, true) : undefined;
    default:
      return undefined;
  }
}

class Conditions {
  readonly branches: Branch[] = [];
  /** Names of state variables by id. */
  readonly variables = new Map<number, string>();
  /** By src: the branch when the JUMPI stays; the one when it jumps follows. */
  private readonly bySource = new Map<string, number>();

  constructor({ sources }: Output) {
    for (const [file, { ast }] of Object.entries(sources)) {
      const text = readFileSync(join(PROJECT_ROOT, file));
      this.walk(ast, file, text);
    }
  }

  placesIn(code: Code, sourceMap: string): Map<number, readonly [number, number]> {
    const places = new Map<number, readonly [number, number]>();
    const fields = sourceMap.split(';');
    let [start, length, file] = ['', '', ''];
    let index = 0;
    for (let at = 0; at < code.bytes.length; at = code.after[at]!, index++) {
      const entry = fields[index];
      if (entry === undefined) break;
      const [s, l, f] = entry.split(':');
      start = s || start;
      length = l || length;
      file = f || file;
      const branch = code.bytes[at] === JUMPI ? this.bySource.get(`${start}:${length}:${file}`) : undefined;
      if (branch !== undefined) places.set(at, [branch, branch + 1]);
    }
    return places;
  }

  private walk(node: Node, file: string, text: Buffer): void {
    if (node.nodeType === 'VariableDeclaration') this.variables.set(node.id!, node.name!);
    const condition = conditionOf(node);
    const isConstant = /Literal$/.test(condition?.text.nodeType ?? '') && node.nodeType !== 'YulCase';
    if (condition?.text.src !== undefined && node.src !== undefined && !isConstant) {
      const [start, length] = condition.text.src.split(':').map(Number) as [number, number];
      const branch = {
        file: file.slice(`${CONTRACTS}/`.length),
        line: text.subarray(0, start).toString().split('\n').length,
        condition: text
          .subarray(start, start + length)
          .toString()
          .replace(/\s+/g, ' '),
      };
      this.bySource.set(node.src, this.branches.length);
      this.branches.push({ ...branch, way: !condition.jumpsWhen }, { ...branch, way: condition.jumpsWhen });
    }
    for (const [name, child] of Object.entries(node)) {
      // The parts of assembly stand in its own tree.
      if (name === 'externalReferences' || child === null || typeof child !== 'object') continue;
      for (const one of Array.isArray(child) ? child : [child])
        if (one !== null && typeof one === 'object') this.walk(one as Node, file, text);
    }
  }
}
