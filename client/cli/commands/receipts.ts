/** `sluice receipts`: fetch and keep the sequencer's receipts, hold them against L1, and take its bond for a lie. */
import { Argument, Command, Option } from 'commander';
import { createRecover } from '#auth/recover.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { encodeSignedReceipt, type SignedReceipt } from '#protocol/receipt.ts';
import { connectL1 } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { proveEquivocation, receiptsProof, takeEquivocationReward } from '#settlement/l1/equivocation.ts';
import { ReceiptJudge, type ReceiptStanding } from '#settlement/l1/receipt-standing.ts';
import { SluiceError } from '../../errors.ts';
import {
  checkStretch,
  contradictionOf,
  isSignedBySequencer,
  type ReceiptChecker,
  type ReceiptProblem,
  readReceiptView,
} from '../../receipt-check.ts';
import { ReceiptFile, readReceiptFile } from '../../receipt-file.ts';
import { type KeptReceipt, ReceiptKeeper } from '../../receipts.ts';
import { createFastKeccak, signingContext } from '../../signing-context.ts';
import { asVisitor, untilStopped } from '../connect.ts';
import { onL1, theRollup } from '../connect-l1.ts';
import {
  type ConnectionOptions,
  jsonOption,
  type KeyOptions,
  type L1FlagOptions,
  whole,
  withConnection,
  withExamples,
  withKey,
  withL1,
} from '../options.ts';
import { print, printLine, table, time } from '../output.ts';

const DEFAULT_RECEIPTS = 'receipts.jsonl';

interface FileOptions {
  readonly file: string;
}

const fileOption = (): Option =>
  new Option('--file <path>', 'where receipts are kept').env('SLUICE_RECEIPTS').default(DEFAULT_RECEIPTS);

export function receiptsCommand(): Command {
  const command = new Command('receipts')
    .description('keep the signed receipts of the sequencer and hold them against L1')
    .helpCommand(false);
  command.addCommand(checkCommand(), { isDefault: true });
  command.addCommand(getCommand());
  command.addCommand(watchCommand());
  command.addCommand(rewardCommand());
  return withExamples(
    command,
    'sluice receipts get 1234                     # the receipt that covers command 1234',
    'sluice receipts watch                        # keep them all until stopped',
    'sluice receipts                              # open, confirmed, REVERTED, void or CONTRADICTED?',
    'sluice receipts --prove                      # and take the bond for a contradiction',
  );
}

async function checkerOf(rollup: RollupContracts): Promise<ReceiptChecker> {
  const keccak = await createFastKeccak();
  const { digests } = signingContext(rollup.chainId, rollup.rollup, keccak);
  return { digests, keccak, recover: createRecover(keccak), sequencer: fromHex(rollup.sequencer) };
}

// get --------------------------------------------------------------------------------------------------------

const getCommand = (): Command =>
  withL1(
    withConnection(
      new Command('get')
        .description('fetch and check the receipt that covers a command, and keep it')
        .addArgument(new Argument('<seq>', 'place of the command in the journal').argParser(whole(1)))
        .addOption(fileOption()),
    ),
  ).action(async (seq: number, options: ConnectionOptions & L1FlagOptions & FileOptions) => {
    const rollup = await theRollup(await connectL1({ url: options.l1 }), options);
    const checker = await checkerOf(rollup);
    await asVisitor(options, async (client) => {
      const view = await client.query('receipt', { seq });
      if (view === null)
        throw new SluiceError('NOT_FOUND', `receipt: none covers command ${seq} yet; ask again`);
      const read = readReceiptView(view, seq);
      if (read === undefined || !isSignedBySequencer(read.receipt, checker))
        throw new SluiceError(
          'MALFORMED_ANSWER',
          `receipt: expected one signed by ${rollup.sequencer}, got something else`,
        );
      const { receipt, stretch } = read;
      const problem = checkStretch(receipt, stretch, [], undefined, checker.keccak);
      if (problem !== undefined)
        throw new SluiceError('MALFORMED_ANSWER', problemSentence(problem), { details: { seq } });
      const file = await ReceiptFile.open(options.file);
      await file.append({ receipt, own: [], stretch });
      await file.close();
      print(
        options,
        shown(receipt),
        () =>
          `receipt ${receipt.seq} of epoch ${receipt.epoch} covers command ${seq}: kept in ${options.file}`,
      );
    });
  });

// watch ------------------------------------------------------------------------------------------------------

const watchCommand = (): Command =>
  withL1(
    withConnection(
      new Command('watch').description('check and keep every receipt until stopped').addOption(fileOption()),
    ),
  ).action(async (options: ConnectionOptions & L1FlagOptions & FileOptions) => {
    const rollup = await theRollup(await connectL1({ url: options.l1 }), options);
    await asVisitor(
      options,
      async (client) => {
        const keeper = await ReceiptKeeper.start(client.session, {
          sequencer: fromHex(rollup.sequencer),
          file: options.file,
          onKept: ({ receipt }) =>
            printLine(options, shown(receipt), () => `receipt ${receipt.seq} of epoch ${receipt.epoch}`),
          onProblem: (problem) =>
            printLine(options, { problem: problem.kind, ...proofOf(problem) }, () =>
              [problemSentence(problem), ...Object.values(proofOf(problem))].join('\n'),
            ),
        });
        await untilStopped();
        await keeper.close();
      },
      { reconnect: true },
    );
  });

const proofOf = (problem: ReceiptProblem): { proof?: string } => {
  if (problem.kind !== 'contradiction') return {};
  const { earlier, later, before, links } = problem.receipts;
  return { proof: receiptsProof(earlier, later, before, links) };
};

function problemSentence(problem: ReceiptProblem): string {
  switch (problem.kind) {
    case 'forged':
      return `receipt ${problem.receipt.seq}: NOT signed by the sequencer`;
    case 'broken':
      return `receipt ${problem.receipt.seq}: the links told from command ${problem.from} on do NOT lead to it`;
    case 'missing-command':
      return `receipt ${problem.receipt.seq}: command ${problem.own.seq} is NOT the one that was answered`;
    case 'contradiction':
      return `receipts ${problem.receipts.earlier.seq} and ${problem.receipts.later.seq} CONTRADICT each other`;
    case 'untold':
      return `commands ${problem.from} to ${problem.through}: their links are not told`;
  }
}

// check ------------------------------------------------------------------------------------------------------

interface CheckOptions extends KeyOptions, L1FlagOptions, FileOptions {
  readonly prove?: boolean;
}

interface Judged {
  readonly kept: KeptReceipt;
  readonly standing:
    | ReceiptStanding
    | { readonly state: 'forged' }
    /** Another receipt in the file says something else of the same command. */
    | { readonly state: 'two-histories'; readonly proof: `0x${string}` };
}

/** What takes the bond, if anything does. */
function proofIn({ standing }: Judged): `0x${string}` | undefined {
  if (standing.state === 'two-histories') return standing.proof;
  return standing.state === 'contradicted' && !standing.isPunished ? standing.proof : undefined;
}

async function judgeOne(
  one: KeptReceipt,
  before: readonly Judged[],
  checker: ReceiptChecker,
  judge: ReceiptJudge,
): Promise<Judged['standing']> {
  if (!isSignedBySequencer(one.receipt, checker)) return { state: 'forged' };
  for (const { kept, standing } of before) {
    const two = standing.state === 'forged' ? undefined : contradictionOf(kept.receipt, one.receipt);
    if (two !== undefined)
      return {
        state: 'two-histories',
        proof: receiptsProof(two.earlier, two.later, two.before, two.links),
      };
  }
  return judge.standing(one.receipt);
}

const checkCommand = (): Command =>
  withL1(
    withKey(
      new Command('check')
        .description(
          'hold the kept receipts against L1: open, confirmed, reverted by a strike, void or contradicted',
        )
        .addOption(fileOption())
        .addOption(jsonOption())
        .option('--prove', 'send the proof of a contradiction: takes the bond of the sequencer'),
    ),
  ).action(async (options: CheckOptions) => {
    const kept = await readReceiptFile(options.file).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause;
      throw new SluiceError('NOT_FOUND', `${options.file}: expected kept receipts, got no file`, { cause });
    });
    const l1 = await connectL1({ url: options.l1 });
    const rollup = await theRollup(l1, options);
    const checker = await checkerOf(rollup);
    const judge = new ReceiptJudge(l1, rollup, checker.keccak);
    const judged: Judged[] = [];
    for (const one of kept) judged.push({ kept: one, standing: await judgeOne(one, judged, checker, judge) });
    const proof = judged.map(proofIn).find((found) => found !== undefined);
    if (options.prove && proof !== undefined) {
      const { l1: sender } = await onL1(options);
      const proven = await proveEquivocation(sender, rollup, proof);
      print(options, proven, () =>
        [
          `proven in ${proven.transaction}: the bond of the sequencer is gone`,
          `half of it, ${proven.rewardWei} wei, is yours after ${time(1000 * (proven.claimUntil + 1))}:`,
          `  sluice receipts reward ${proven.fault}`,
        ].join('\n'),
      );
      return;
    }
    print(
      options,
      judged.map(({ kept: { receipt, own }, standing }) => ({
        ...shown(receipt),
        own: own.map(({ seq }) => seq),
        ...standing,
      })),
      () =>
        [
          table(
            ['epoch>', 'seq>', 'own commands', 'standing', ''],
            judged.map(({ kept: { receipt, own }, standing }) => [
              receipt.epoch,
              receipt.seq,
              own.map(({ seq }) => seq).join(', '),
              ...standingCells(standing),
            ]),
          ),
          ...(proof === undefined
            ? []
            : ['', 'the sequencer signed two histories; take its bond: sluice receipts --prove']),
        ].join('\n'),
    );
  });

function standingCells(standing: Judged['standing']): [string, string] {
  switch (standing.state) {
    case 'forged':
      return ['FORGED', 'not signed by the sequencer'];
    case 'two-histories':
      return ['CONTRADICTED', 'by another receipt in this file'];
    case 'open':
      return ['open', 'no committed batch holds its command yet'];
    case 'unknown':
      return ['unknown', `the inputs of batch ${standing.batch} are not in its transaction`];
    case 'confirmed':
      return ['confirmed', `batch ${standing.batch}${standing.isFinal ? ', final' : ''}`];
    case 'reverted':
      return ['REVERTED', standing.why];
    case 'void':
      return ['void', standing.why];
    case 'contradicted':
      return ['CONTRADICTED', `by batch ${standing.batch}${standing.isPunished ? ', punished' : ''}`];
  }
}

const shown = (receipt: SignedReceipt) => ({
  epoch: receipt.epoch,
  seq: receipt.seq,
  inputHash: toHex(receipt.inputHash),
  queueNext: receipt.queueNext,
  queueHash: toHex(receipt.queueHash),
  receipt: toHex(encodeSignedReceipt(receipt)),
});

// reward -----------------------------------------------------------------------------------------------------

const rewardCommand = (): Command =>
  withL1(
    withKey(
      new Command('reward')
        .description('pay out the reward for a proven contradiction, when the claim period is over')
        .argument('<fault>', 'as --prove printed it')
        .addOption(jsonOption()),
    ),
  ).action(async (fault: string, options: KeyOptions & L1FlagOptions) => {
    const { l1, rollup } = await onL1(options);
    await takeEquivocationReward(l1, rollup, fault as `0x${string}`);
    print(options, { fault }, () => 'paid');
  });
