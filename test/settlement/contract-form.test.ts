/**
 * The form of the deployed contracts: each function and event is documented, nothing in them can replace their code or
 * make others, and whoever may change anything stands in one table here.
 */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { AbiFunction } from 'viem';
import { describe, expect, test } from 'vitest';
import { fromHex } from '#protocol/bytes.ts';
import { type ContractName, compileContracts, PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { opcodesOf } from './disassemble.ts';

const artifacts = await compileContracts();
/** All but the token of development chains, which is an ERC-20 as any other. */
const PRODUCT = (Object.keys(artifacts) as ContractName[]).filter((name) => name !== 'TestToken');

interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly components?: readonly Parameter[];
}
interface Documented {
  readonly abi: readonly {
    readonly type: string;
    readonly name?: string;
    readonly inputs?: readonly Parameter[];
  }[];
  readonly userdoc: Readonly<Record<'methods' | 'events', Record<string, { readonly notice?: string }>>>;
  readonly devdoc: {
    readonly title?: string;
    readonly methods: Readonly<Record<string, { readonly params?: Record<string, string> }>>;
  };
}

const typeOf = (one: Parameter): string =>
  one.type.startsWith('tuple')
    ? `(${one.components!.map(typeOf).join(',')})${one.type.slice('tuple'.length)}`
    : one.type;
const signatureOf = (item: { name?: string; inputs?: readonly Parameter[] }): string =>
  `${item.name}(${(item.inputs ?? []).map(typeOf).join(',')})`;

async function documentation(): Promise<ReadonlyMap<ContractName, Documented>> {
  const root = path.join(PROJECT_ROOT, 'settlement/contracts');
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.sol')).sort();
  const sources = Object.fromEntries(
    await Promise.all(
      files.map(async (file) => [file, { content: await readFile(path.join(root, file), 'utf8') }] as const),
    ),
  );
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string): string };
  const outputSelection = { '*': { '*': ['abi', 'userdoc', 'devdoc'] } };
  const input = { language: 'Solidity', sources, settings: { outputSelection } };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as {
    readonly contracts: Record<string, Record<string, Documented>>;
  };
  const all = Object.values(output.contracts).flatMap((file) => Object.entries(file));
  return new Map(PRODUCT.map((name) => [name, all.find(([one]) => one === name)![1]]));
}

describe('documentation', () => {
  test('every external function and event says what it is, every contract and constructor parameter too', async () => {
    const missing: string[] = [];
    let seen = 0;
    for (const [name, { abi, userdoc, devdoc }] of await documentation()) {
      if (devdoc.title === undefined) missing.push(`${name}: title`);
      for (const item of abi) {
        seen++;
        const signature = signatureOf(item);
        if (item.type === 'function' && !userdoc.methods[signature]?.notice)
          missing.push(`${name}.${signature}`);
        if (item.type === 'event' && !userdoc.events[signature]?.notice)
          missing.push(`${name}: event ${signature}`);
        // Structs say it of their fields.
        if (item.type === 'constructor')
          for (const parameter of item.inputs ?? [])
            if (
              parameter.components === undefined &&
              devdoc.methods['constructor' as string]?.params?.[parameter.name] === undefined
            )
              missing.push(`${name}: constructor parameter ${parameter.name}`);
      }
    }
    expect(missing).toEqual([]);
    expect(seen).toBeGreaterThan(300);
  }, 60_000);
});

/** Of opcodes that run foreign code as one's own, end a contract, or make one. */
const FORBIDDEN: Readonly<Record<number, string>> = {
  240: 'CREATE',
  242: 'CALLCODE',
  244: 'DELEGATECALL',
  245: 'CREATE2',
  255: 'SELFDESTRUCT',
};

describe('code', () => {
  test.each(PRODUCT)('%s can be replaced by nothing', (name) => {
    const { bytecode, runtimeBytes } = artifacts[name];
    const runtime = fromHex(bytecode).slice(-runtimeBytes);
    // PUSH1 0x80 PUSH1 0x40 MSTORE, or PUSH0 and so on: code, not data.
    expect(runtime[0]).toBeGreaterThanOrEqual(0x5f);
    const opcodes = opcodesOf(runtime);
    // STOP or RETURN are in every contract: the walk did see code.
    expect(opcodes.has(0xf3)).toBe(true);
    expect([...opcodes].flatMap((opcode) => FORBIDDEN[opcode] ?? [])).toEqual([]);
  });

  test('the walk skips what is pushed, and sees what is not', () => {
    expect(opcodesOf(fromHex('0x60f4'))).toEqual(new Set([0x60]));
    expect(opcodesOf(fromHex('0x61ff60f4'))).toEqual(new Set([0x61, 0xf4]));
    expect(opcodesOf(fromHex('0x5ff45b'))).toEqual(new Set([0x5f, 0xf4, 0x5b]));
  });
});

/**
 * Who may call what changes anything. "anyone": everybody for themselves or for the one who is named; a signature, proof
 * or payment in the arguments is checked whoever sends it.
 */
const CALLERS: Readonly<Partial<Record<ContractName, Readonly<Record<string, string>>>>> = {
  Rollup: {
    commitBatch: 'anyone, as a transaction of their own; without inputs in calldata the submitter',
    setSubmitter: 'the sequencer',
    finalizeBatch: 'anyone',
    proveBatch: 'anyone',
    openEpoch: 'anyone',
    freeze: 'anyone',
    topUpBond: 'anyone',
    strike: 'Challenges, Demands',
    slash: 'Equivocation',
    hold: 'Demands',
    extend: 'Demands',
    unbond: 'the sequencer',
  },
  Queue: {
    deposit: 'anyone',
    depositFor: 'anyone',
    requestForced: 'anyone',
    proposeConfiguration: 'the configurator',
    cancelConfiguration: 'the configurator',
    enterConfiguration: 'anyone',
  },
  Vault: {
    withdraw: 'anyone',
    receiveDeposit: 'Queue',
    reserve: 'EscapeHatch',
    refund: 'EscapeHatch',
    payClaim: 'EscapeHatch',
  },
  Challenges: {
    commitChallenge: 'anyone',
    proveFraud: 'anyone',
    claimReward: 'anyone',
    takeReward: 'anyone',
  },
  Equivocation: {
    commitChallenge: 'anyone',
    proveEquivocation: 'anyone',
    claimReward: 'anyone',
    takeReward: 'anyone',
  },
  Demands: {
    demandInputs: 'anyone',
    answerInputs: 'anyone',
    strikeUnanswered: 'anyone',
    withdrawDemand: 'anyone',
    withdrawOwed: 'anyone',
  },
  EscapeHatch: {
    settle: 'anyone',
    provePrices: 'anyone',
    proveAssets: 'anyone',
    registerClaims: 'anyone',
    countDeposits: 'anyone',
    refund: 'anyone',
    claim: 'anyone',
  },
};

describe('callers', () => {
  const changing = (name: ContractName): string[] =>
    artifacts[name].abi
      .filter(
        (item): item is AbiFunction =>
          item.type === 'function' && item.stateMutability !== 'view' && item.stateMutability !== 'pure',
      )
      .map((item) => item.name)
      .sort();

  test.each(PRODUCT)('%s changes nothing but by the calls of the table', (name) => {
    expect(changing(name)).toEqual(Object.keys(CALLERS[name] ?? {}).sort());
  });

  test.each(PRODUCT)('%s has no owner, upgrade, pause or list', (name) => {
    const names = artifacts[name].abi.flatMap((item) => ('name' in item ? [item.name] : []));
    const ruled =
      /own(er(ship)?)$|^owner|admin|upgrade|implementation|initiali[sz]e|pause|guardian|whitelist|allowlist/i;
    expect(names.filter((one) => ruled.test(one ?? ''))).toEqual([]);
  });
});
