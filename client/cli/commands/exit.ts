/** `sluice exit`: everything out of the rollup with nothing but an L1, whoever else is gone. */
import { createInterface } from 'node:readline/promises';
import { Command, Option } from 'commander';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import { type Address, accountOf, type L1Client } from '#settlement/l1/client.ts';
import type { AssetInfo, RollupContracts } from '#settlement/l1/contracts.ts';
import { forceWithdraw } from '#settlement/l1/vault-actions.ts';
import { Exit, type ExitView } from '../../escape/look.ts';
import { type Performed, perform } from '../../escape/perform.ts';
import { parseUnits } from '../../units.ts';
import { amountText, assetNamed } from '../assets.ts';
import { onL1 } from '../connect-l1.ts';
import { UsageError } from '../failure.ts';
import {
  addressText,
  jsonOption,
  type KeyOptions,
  type L1FlagOptions,
  whole,
  withExamples,
  withKey,
  withL1,
} from '../options.ts';
import { print, printLine, time } from '../output.ts';
import { actionText, assetText, stageText, viewJson, viewText } from './exit-text.ts';

interface ExitOptions extends KeyOptions, L1FlagOptions {
  readonly for?: string;
  readonly yes?: boolean;
  readonly wait?: boolean;
  readonly demand?: string;
  readonly asset?: string;
  readonly subaccount?: number;
}

/** A forced withdrawal pays what may be withdrawn and no more: the largest amount asks for all of it. */
const EVERYTHING = Number.MAX_SAFE_INTEGER;
const POLL_MS = 1_000;

export const exitCommand = (): Command =>
  withExamples(
    withL1(
      withKey(
        new Command('exit')
          .description(
            'leave with everything, needing nothing but an L1: shows what you will receive, then does what is due',
          )
          .option('--yes', 'send without asking; without it and without a terminal nothing is sent')
          .option('--wait', 'stay until L1 has come so far that the next step can be done')
          .option(
            '--demand <amount>',
            'while the rollup runs: demand a withdrawal through L1, a decimal amount or "all"',
          )
          .addOption(
            new Option(
              '--asset <asset>',
              'asset of --demand by symbol or number (default: the quote asset; with "all" every one that is held)',
            ),
          )
          .addOption(
            new Option(
              '--subaccount <n>',
              'sub-account of --demand (default: all that are known, else 0)',
            ).argParser(whole(0, 255)),
          )
          .addOption(
            new Option('--for <address>', 'owner to help out; the money goes to that address').argParser(
              addressText,
            ),
          )
          .addOption(jsonOption()),
      ),
    ),
    'sluice exit                      # what would I receive, and what is to be done?',
    'sluice exit --yes --wait         # do it, however long it takes',
    'sluice exit --demand all --yes   # the sequencer must let me go',
  ).action(async (options: ExitOptions, command: Command) => {
    if (options.for !== undefined && options.demand !== undefined)
      command.error('error: --demand: expected to be for the own account, got --for beside it');
    const { l1, rollup } = await onL1(options);
    const owner = (options.for ?? accountOf(l1).address) as Address;
    await new Walk(l1, rollup, owner, options).run();
  });

class Walk {
  private readonly l1: L1Client;
  private readonly rollup: RollupContracts;
  private readonly owner: Address;
  private readonly options: ExitOptions;
  private readonly done: Performed[] = [];

  constructor(l1: L1Client, rollup: RollupContracts, owner: Address, options: ExitOptions) {
    this.l1 = l1;
    this.rollup = rollup;
    this.owner = owner;
    this.options = options;
  }

  async run(): Promise<void> {
    const { l1, rollup, options } = this;
    const keccak = await createWasmKeccak();
    const exit = new Exit(l1, rollup, this.owner, keccak);
    let shown = '';
    let view: ExitView;
    for (;;) {
      view = await exit.look();
      // A step that changes nothing of it is not told again.
      const text = `${stageText(view, rollup)}\n${viewText(view, rollup)}`;
      if (text !== shown) this.say(text);
      shown = text;
      if (view.stage === 'running' && options.demand !== undefined) {
        await this.demand(view, options.demand);
        break;
      }
      if (view.actions.length === 0) {
        if (view.nextAt === undefined || !options.wait) break;
        await this.untilTime(view.nextAt);
        continue;
      }
      this.say(
        `to do now:\n${view.actions.map((action) => `  ${actionText(action, view, rollup)}`).join('\n')}`,
      );
      if (!(await this.mayI('send this?'))) break;
      if (!(await this.performAll(view, keccak))) break;
    }
    this.conclude(view);
  }

  /** False when others were first with everything: looking again would show the same. */
  private async performAll(view: ExitView, keccak: Awaited<ReturnType<typeof createWasmKeccak>>) {
    let any = false;
    for (const action of view.actions) {
      const performed = await perform(this.l1, this.rollup, action, keccak);
      const text = actionText(action, view, this.rollup);
      if (performed === undefined) {
        this.say(`not needed or not yet: ${text}`);
        continue;
      }
      any = true;
      this.done.push(performed);
      const { paid, transaction } = performed;
      this.say(
        paid === undefined
          ? `done: ${text} (${transaction})`
          : `paid ${assetText(this.rollup, paid.asset, paid.amount)} (${transaction})`,
      );
    }
    return any;
  }

  private async demand(view: ExitView, text: string): Promise<void> {
    const { l1, rollup, options } = this;
    const asset = assetNamed(rollup, options.asset);
    const amount = text === 'all' ? EVERYTHING : parseUnits('--demand', text, asset.decimals);
    const known = view.accounts.map(({ subaccount }) => subaccount);
    // An account that is younger than the last final batch is not known yet: most have the number 0.
    const all = known.length === 0 ? [0] : known;
    const subaccounts = options.subaccount === undefined ? all : [options.subaccount];
    if (text !== 'all' && subaccounts.length !== 1)
      throw new UsageError(
        `--subaccount: expected one beside --demand ${text}, got none, and the owner has ${known.length} accounts`,
      );
    for (const subaccount of subaccounts) {
      const isEverything = text === 'all' && options.asset === undefined;
      for (const of of isEverything ? this.heldIn(view, subaccount) : [asset]) {
        const what = text === 'all' ? `all ${of.symbol} that may be withdrawn` : amountText(of, amount);
        if (!(await this.mayI(`demand ${what} from sub-account ${subaccount} through L1?`))) return;
        const queued = await forceWithdraw(l1, rollup, { asset: of.asset, amount, subaccount });
        this.done.push({ kind: 'demand', transaction: queued.receipt.transactionHash });
        this.say(
          `demanded ${what}: queue entry ${queued.index}, due by ${time(queued.deadlineMs)}; when it is final, sluice exit pays it`,
        );
      }
    }
  }

  /** Assets of which the account holds something, the quote asset in any case: each demand costs a fee. */
  private heldIn(view: ExitView, subaccount: number): readonly AssetInfo[] {
    const own = view.accounts.find((one) => one.subaccount === subaccount);
    const held = own?.holdings.units.filter(({ units }) => units > 0n).map(({ asset }) => asset) ?? [];
    return this.rollup.assets.filter(({ asset }) => asset === QUOTE_ASSET || held.includes(asset));
  }

  private conclude(view: ExitView): void {
    const { options, rollup } = this;
    if (options.json) {
      print(options, { owner: this.owner, ...viewJson(view, rollup), done: this.done }, () => '');
      return;
    }
    if (view.actions.length > 0 && this.done.length === 0 && !options.yes && !process.stdin.isTTY)
      this.say('nothing was sent: give --yes');
    else if (view.nextAt !== undefined) this.say(`come back at ${time(view.nextAt * 1000)}, or give --wait`);
  }

  /** Asks on a terminal; --yes answers for it. */
  private async mayI(question: string): Promise<boolean> {
    if (this.options.yes) return true;
    if (this.options.json || !process.stdin.isTTY) return false;
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    try {
      return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
    } finally {
      terminal.close();
    }
  }

  private async untilTime(seconds: number): Promise<void> {
    this.say(`waiting until ${time(seconds * 1000)}`);
    for (;;) {
      const { timestamp } = await this.l1.public.getBlock({ blockTag: 'latest' });
      if (Number(timestamp) >= seconds) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  private say(text: string): void {
    if (!this.options.json) printLine(this.options, {}, () => text);
  }
}
