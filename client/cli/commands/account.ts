/** `sluice account`: balances and margin of an account, its session keys, transfers between sub-accounts. */
import { randomBytes } from 'node:crypto';
import { Argument, Command, Option } from 'commander';
import { toHex } from '#protocol/bytes.ts';
import { SCOPE_ALL, SCOPE_CANCEL, SCOPE_LOCK, SCOPE_TRADE } from '#protocol/operation.ts';
import { addressOfKey } from '../../signer.ts';
import { formatUnits } from '../../units.ts';
import { asTrader } from '../connect.ts';
import { addressText, duration, type TraderOptions, whole, withExamples, withTrader } from '../options.ts';
import { facts, print, table, time } from '../output.ts';
import { money, symbol } from './show.ts';

export function accountCommand(): Command {
  const command = new Command('account')
    .description('show an account; manage its keys and sub-accounts')
    .helpCommand(false);
  command.addCommand(showCommand(), { isDefault: true });
  command.addCommand(transferCommand());
  command.addCommand(sessionKeyCommand());
  command.addCommand(lockCommand(true));
  command.addCommand(lockCommand(false));
  return withExamples(
    command,
    'sluice account',
    'sluice account transfer 250 --to 7',
    'sluice account lock',
    'sluice account session-key --new --expires 7d --scope trade',
  );
}

const showCommand = (): Command =>
  withTrader(new Command('show').description('balances, margin, session keys')).action(
    async (options: TraderOptions) => {
      await asTrader(options, async (client) => {
        const owner = toHex(client.session.signer!.address);
        if (client.account === undefined) {
          print(options, { owner, accounts: [] }, () => `${owner} has no account yet: sluice deposit AMOUNT`);
          return;
        }
        const [view, accounts] = await Promise.all([
          client.accountView(),
          client.query('accounts', { owner }),
        ]);
        print(options, { ...view, accounts }, () =>
          [
            facts([
              ['account', `${view.account} (sub-account ${view.subaccount})`],
              ['owner', view.owner],
              ['risk pool', view.riskPool],
              ['isolated to', view.isolatedMarket === null ? undefined : symbol(client, view.isolatedMarket)],
              ['cash', money(view.cash)],
              ['equity', money(view.equity)],
              ['initial margin', money(view.initialMargin)],
              ['maintenance margin', money(view.maintenanceMargin)],
              ['free collateral', money(view.freeCollateral)],
              ['positions', view.positions.filter((position) => position.size !== 0).length],
              ['open orders', view.openOrders],
              ['locked', view.locked ? 'yes: it may only reduce' : undefined],
              ['cancel after', view.cancelAfter === 0 ? 'off' : time(view.cancelAfter)],
              [
                'own leverage',
                view.positions
                  .filter(({ leveragePpm }) => leveragePpm > 0)
                  .map((one) => `${symbol(client, one.market)} ${formatUnits(one.leveragePpm, 4)} %`)
                  .join(', ') || undefined,
              ],
              [
                'cancel on disconnect',
                view.cancelOnDisconnect < 0 ? 'off' : `after ${view.cancelOnDisconnect} ms`,
              ],
              [
                'other accounts',
                accounts
                  .filter((one) => one.account !== view.account)
                  .map((one) => one.account)
                  .join(', ') || undefined,
              ],
            ]),
            ...(view.sessionKeys.length === 0
              ? []
              : [
                  '',
                  table(
                    ['session key', 'scope', 'expires'],
                    view.sessionKeys.map((key) => [
                      key.key,
                      scopeName(key.scope),
                      key.expiry === 0 ? 'ended' : time(key.expiry),
                    ]),
                  ),
                ]),
          ].join('\n'),
        );
      });
    },
  );

const transferCommand = (): Command =>
  withTrader(
    new Command('transfer')
      .description('move quote to another sub-account of the same owner')
      .argument('<amount>', 'decimal amount of the quote asset')
      .addOption(
        new Option('--to <account>', 'account that receives')
          .argParser(whole(1, 2 ** 32 - 1))
          .makeOptionMandatory(),
      ),
  ).action(async (amount: string, options: TraderOptions & { to: number }) => {
    await asTrader(options, async (client) => {
      const outcome = await client.transfer({ toAccount: options.to, amount });
      print(options, outcome, () => `transferred ${amount} to account ${options.to} (seq ${outcome.seq})`);
    });
  });

const lockCommand = (locked: boolean): Command =>
  withTrader(
    new Command(locked ? 'lock' : 'unlock').description(
      locked
        ? 'kill switch: cancel every order, then only reduce; nothing may leave'
        : 'end the lock; needs the key of the owner',
    ),
  ).action(async (options: TraderOptions) => {
    await asTrader(options, async (client) => {
      const outcome = await client.setLock(locked);
      print(options, outcome, () =>
        locked
          ? `locked, ${outcome.canceled} orders canceled (seq ${outcome.seq})`
          : `unlocked (seq ${outcome.seq})`,
      );
    });
  });

interface SessionKeyOptions extends TraderOptions {
  readonly new?: boolean;
  readonly expires: number;
  readonly scope: 'all' | 'trade' | 'cancel' | 'lock';
  readonly end?: boolean;
}

const sessionKeyCommand = (): Command =>
  withTrader(
    new Command('session-key')
      .description('let another key sign for the account, or end one')
      .addArgument(new Argument('[address]', 'address of the session key').argParser(addressText))
      .option('--new', 'make a new key and print it')
      .addOption(
        new Option('--expires <duration>', 'how long it may sign')
          .argParser(duration)
          .default(7 * 86_400_000, '7d'),
      )
      .addOption(
        new Option('--scope <scope>', 'what it may sign')
          .choices(['all', 'trade', 'cancel', 'lock'])
          .default('all'),
      )
      .option('--end', 'end the key at once'),
  ).action(async (address: string | undefined, options: SessionKeyOptions, command: Command) => {
    if ((address === undefined) === (options.new !== true))
      command.error('error: expected either the address of a session key or --new');
    if (options.new && options.end)
      command.error('error: --end: expected the address of a session key beside it, got --new');
    const key = options.new ? randomBytes(32) : undefined;
    const of = key === undefined ? address! : toHex(addressOfKey(key));
    await asTrader(options, async (client) => {
      const outcome = options.end
        ? await client.endSessionKey({ address: of })
        : await client.setSessionKey({
            address: of,
            expiry: client.serverNow() + options.expires,
            scope: options.scope,
          });
      const secret = key === undefined ? {} : { key: toHex(key) };
      print(options, { address: of, ...secret, ...outcome }, () =>
        [
          `session key ${of} ${options.end ? 'ended' : `may sign (${options.scope})`}`,
          ...(key === undefined
            ? []
            : [
                `private key, shown once: ${toHex(key)}`,
                `use it with --key-file FILE --account ${client.account}`,
              ]),
        ].join('\n'),
      );
    });
  });

const scopeName = (scope: number): string =>
  scope === SCOPE_ALL
    ? 'all'
    : [
        scope & SCOPE_TRADE ? 'trade' : '',
        scope & SCOPE_CANCEL ? 'cancel' : '',
        scope & SCOPE_LOCK ? 'lock' : '',
      ]
        .filter(Boolean)
        .join(' ') || String(scope);
