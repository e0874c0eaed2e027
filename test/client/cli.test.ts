/** The command line, by really running it: help, errors, configuration, and trading on a whole exchange. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEVELOPMENT_KEYS, DEVELOPMENT_ROLES } from '#client/cli/development-keys.ts';
import { COMMAND_NAMES, createProgram, everyCommand } from '#client/cli/program.ts';
import { fixedSource } from '#client/publisher/price-source.ts';
import { type RunningPublishers, runPublishers } from '#client/publisher/run-publishers.ts';
import { keySigner } from '#client/signer.ts';
import { toHex } from '#protocol/bytes.ts';
import { DEVNET_MNEMONIC } from '#settlement/l1/devnet.ts';
import { type LiveExchange, openLiveExchange, PUBLISHER_KEYS, until } from './live-exchange.ts';
import { sluice, start } from './program.ts';

let exchange: LiveExchange;
let publishers: RunningPublishers;
let directory: string;
const trader = keySigner(DEVELOPMENT_KEYS[DEVELOPMENT_ROLES.trader]);

/** Runs against the exchange; `--url` comes from the environment. */
const run = (...args: string[]) => sluice(args, { env: { SLUICE_URL: exchange.url }, cwd: directory });
const json = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  exchange = await openLiveExchange();
  exchange.deposit(trader.address, 1_000_000_000_000);
  exchange.deposit(keySigner(DEVELOPMENT_KEYS[8]).address, 1_000_000_000_000);
  await until(() => exchange.state.accountOf(keySigner(DEVELOPMENT_KEYS[8]).address, 0) !== 0);
  publishers = await runPublishers({
    url: exchange.url,
    signers: PUBLISHER_KEYS.map((key) => keySigner(key)),
    source: () => fixedSource(new Map([0, 1].map((market) => [market, { price: 500_000, confidence: 1 }]))),
  });
  await until(() => exchange.state.market(1)?.index === 500_000);
}, 60_000);

afterAll(async () => {
  await publishers.stop();
  await exchange.close();
  await rm(directory, { recursive: true, force: true });
});

describe('help', () => {
  it('lists every command with what it does', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const name of [
      'devnet',
      'sequencer',
      'submitter',
      'verifier',
      'publisher',
      'replay',
      'demo',
      'account',
      'deposit',
      'order',
      'cancel',
      'book',
      'positions',
      'orders',
      'fills',
      'watch',
      'withdraw',
      'finality',
      'receipts',
    ])
      expect(out).toMatch(new RegExp(`^  ${name}\\s+\\S`, 'm'));
    expect(out).toContain('Exit codes:');
  });

  it('has examples and descriptions for every command and flag', async () => {
    for (const name of COMMAND_NAMES) {
      const program = await createProgram('0', [name]);
      const command = program.commands.find((one) => one.name() === name)!;
      let text = '';
      command.configureOutput({ writeOut: (part) => (text += part) });
      command.outputHelp();
      expect(text, name).toContain(`$ sluice ${name}`);
      for (const one of everyCommand(command)) {
        expect(one.description(), one.name()).not.toBe('');
        for (const option of one.options) expect(option.description, `${name} ${option.flags}`).not.toBe('');
      }
    }
  }, 60_000);

  it('prints its version, and answers from the launcher as well', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, out: '0.1.0\n', err: '' });
    const launched = await start('client/cli/sluice.mjs', ['order', '--help']).done;
    expect(launched).toMatchObject({ code: 0, err: '' });
    expect(launched.out).toContain('Usage: sluice order');
    expect((await start('client/cli/sluice.mjs', ['nonsense']).done).code).toBe(2);
  });
});

describe('wrong usage', () => {
  it.each([
    [[], 'error USAGE: expected a command, got none; see sluice --help\n'],
    [['nonsense'], "error USAGE: unknown command 'nonsense'; see sluice --help\n"],
    [['order'], "error USAGE: missing required argument 'side'\n"],
    [
      ['order', 'hold', '1', 'X'],
      "error USAGE: argument 'hold' is invalid for argument 'side'. Allowed choices are buy, sell\n",
    ],
    [['order', 'buy', '1', 'X', '5', '6'], 'error USAGE: expected one price, got 5 6\n'],
    [['book', 'X', '--levels', '0'], 'expected a whole number from 1 to 100000, got "0"\n'],
    [['book', 'X', '--url', 'http://x'], 'expected a URL that begins with ws:// or wss://, got "http://x"\n'],
    [['cancel'], 'error USAGE: expected order ids, --all or --client-id, and only one of them\n'],
    [['amend', '3'], 'error USAGE: expected --price or --size, got neither\n'],
    [['finality'], 'error USAGE: expected an order id or --seq, and only one of them\n'],
    [['withdraw'], 'error USAGE: expected an amount, or --claim without one\n'],
    [['account', 'session-key'], 'error USAGE: expected either the address of a session key or --new\n'],
    [['sequencer', '--port', 'x'], 'error USAGE: configuration: port (flags): expected'],
    [['markets', '--config', 'nowhere.yaml'], "error USAGE: unknown option '--config'\n"],
    [['--config', 'nowhere.yaml', 'markets'], 'error USAGE: configuration file nowhere.yaml: ENOENT'],
  ])('%j', async (args, sentence) => {
    const { code, out, err } = await run(...args);
    expect(err).toContain(sentence);
    expect(err.split('\n').length).toBe(2);
    expect([code, out]).toEqual([2, '']);
  });
});

describe('what can’t be reached or is refused', () => {
  it('says so in one sentence, with exit codes that scripts can tell apart', async () => {
    const nowhere = 'ws://127.0.0.1:1';
    const [gone, asJson, l1, rejected, unknown, offLot] = await Promise.all([
      run('markets', '--url', nowhere),
      run('markets', '--url', nowhere, '--json'),
      run('deposit', '1', '--l1', 'http://127.0.0.1:1'),
      run('order', 'buy', '1', 'BTC-PERP', '5000000'),
      run('order', 'buy', '1', 'DOGE-PERP', '1'),
      run('order', 'buy', '0.000001', 'BTC-PERP', '50000'),
    ]);
    expect(gone).toMatchObject({ code: 3, out: '' });
    expect(gone.err).toBe(
      `error CONNECT_FAILED: could not connect to ${nowhere}/ws: connect ECONNREFUSED 127.0.0.1:1\n`,
    );
    expect(asJson.code).toBe(3);
    expect(JSON.parse(asJson.err)).toMatchObject({ error: { code: 'CONNECT_FAILED' } });
    expect(l1.code).toBe(3);
    expect(l1.err).toMatch(/^error L1_UNREACHABLE: /);
    expect(rejected.code).toBe(4);
    expect(rejected.err).toMatch(/^error [A-Z_]+: the .*\n$/);
    expect(unknown).toMatchObject({
      code: 1,
      err: 'error NOT_FOUND: market: expected one of BTC-PERP, ETH-PERP, got "DOGE-PERP"\n',
    });
    expect(offLot).toMatchObject({
      code: 2,
      err: 'error INVALID_DECIMAL: size: expected a multiple of the BTC-PERP lot 0.00001, got "0.000001"\n',
    });
  });
});

describe('keys', () => {
  it('knows the development keys of Anvil, in its order', () => {
    for (const [place, key] of DEVELOPMENT_KEYS.entries()) {
      const account = mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex: place });
      expect(key).toBe(toHex(account.getHdKey().privateKey!));
    }
    const used = Object.values(DEVELOPMENT_ROLES).flat();
    expect(new Set(used).size).toBe(used.length);
  });

  it('takes a key from flag, file or environment, and never shows it', async () => {
    const key = DEVELOPMENT_KEYS[8];
    const account = exchange.state.accountOf(keySigner(key).address, 0);
    await writeFile(join(directory, 'trader.key'), `${key}\n`);
    const [byFlag, byFile, byDev, wrong] = await Promise.all([
      json('account', '--key', key),
      json('account', '--key-file', 'trader.key'),
      json('account', '--dev', '8'),
      run('account', '--key', `${key.slice(0, -1)}`),
    ]);
    for (const view of [byFlag, byFile, byDev]) expect(view.account).toBe(account);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/^error INVALID_ARGUMENT: private key: expected 32 bytes/);
    expect(wrong.err).not.toContain(key.slice(2, 20));
  });
});

describe('configuration', () => {
  it('flags beat the environment, which beats the file, where a command’s own map beats the top', async () => {
    await writeFile(
      join(directory, 'a.yaml'),
      `url: ${exchange.url}\ndev: 8\norders:\n  limit: 3\nbook:\n  levels: 1\n`,
    );
    const eight = exchange.state.accountOf(keySigner(DEVELOPMENT_KEYS[8]).address, 0);
    const nine = exchange.state.accountOf(trader.address, 0);
    const account = async (args: string[], env: Record<string, string> = {}) =>
      JSON.parse(
        (await sluice(['--config', 'a.yaml', 'account', '--json', ...args], { cwd: directory, env })).out,
      ).account;
    expect(
      await Promise.all([
        account([]),
        account([], { SLUICE_DEV: '9' }),
        account(['--dev', '9'], { SLUICE_DEV: '8' }),
      ]),
    ).toEqual([eight, nine, nine]);
  });

  it('is found by its name in the working directory', async () => {
    const here = await mkdtemp(join(tmpdir(), 'sluice-cwd-'));
    await writeFile(join(here, 'sluice.yaml'), `url: ${exchange.url}\njson: true\n`);
    const { code, out } = await sluice(['markets'], { cwd: here });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toHaveLength(2);
    await rm(here, { recursive: true });
  });

  it.each([
    ['{', 'configuration file b.yaml: '],
    ['[1]', 'configuration file b.yaml: expected a map, got something else'],
    ['prot: 5', 'configuration file b.yaml: expected the name of a flag or command, got prot'],
    ['book: 5', 'configuration file b.yaml: book: expected a map, got 5'],
    [
      'book: {level: 5}',
      'configuration file b.yaml: book: expected one of levels, orders, follow, url, json, got level',
    ],
    [
      'book: {levels: many}',
      'configuration file b.yaml: levels: expected a whole number from 1 to 100000, got "many"',
    ],
    ['levels: [1]', 'configuration file b.yaml: levels: expected text or a number, got [1]'],
    ['json: 5', 'configuration file b.yaml: json: expected true or false, got 5'],
  ])('%s', async (text, sentence) => {
    await writeFile(join(directory, 'b.yaml'), text);
    const { code, err } = await run('--config', 'b.yaml', 'book', 'BTC-PERP');
    expect(err).toContain(`error USAGE: ${sentence}`);
    expect(code).toBe(2);
  });
});

describe('trading', () => {
  it('places, shows, amends, fills, cancels and follows', async () => {
    expect(
      (await run('order', 'sell', '0.02', 'BTC-PERP', '@', '50010', '--client-id', '42', '--post-only')).out,
    ).toMatch(/^order \d+ resting, 0.02 open\n$/);
    const [order] = await json('orders');
    expect(order).toMatchObject({
      market: 0,
      price: 500_100,
      size: 2_000,
      clientId: 42,
      side: 1,
      postOnly: true,
    });
    const { out: shown } = await run('orders');
    expect(shown).toContain('BTC-PERP');
    expect((await run('amend', `${order.orderId}`, '--size', '0.01')).out).toContain('0.01 open');
    const watch = start('client/cli/sluice.ts', ['watch', 'BTC-PERP', '--json'], {
      env: { SLUICE_URL: exchange.url },
    });
    await until(() => watch.out().includes('"status"'));
    expect((await run('order', 'buy', '0.004', 'BTC-PERP', '--dev', '8')).out).toMatch(
      /^order \d+ filled, 0.004 filled\n$/,
    );
    await until(() => watch.out().includes('"kind":"trade"') && watch.out().includes('"report":"trade"'));
    watch.child.kill('SIGINT');
    expect((await watch.done).code).toBe(0);
    const [book, orders, positions, fills, history, finality, markets] = await Promise.all([
      run('book', 'BTC-PERP'),
      run('book', 'BTC-PERP', '--orders'),
      run('positions', '--dev', '8'),
      run('fills', '--dev', '8'),
      run('orders', '--history'),
      json('finality', `${order.orderId}`),
      run('markets'),
    ]);
    expect(book.out).toMatch(/50010\s+0\.006/);
    expect(orders.out).toMatch(/sell\s+50010\s+0\.006/);
    expect(positions.out).toMatch(/BTC-PERP\s+0\.004\s+50010\s+50000/);
    expect(fills.out).toMatch(/BTC-PERP\s+buy\s+50010\s+0\.004\s+taker/);
    expect(history.out).toContain('reduced to 0.01 at 50010');
    expect(finality).toMatchObject({ stage: 'journaled' });
    expect(markets.out).toMatch(/BTC-PERP\s+active\s+50000\s+50000\s+50010/);
    expect((await run('cancel', '--client-id', '42', '--market', 'BTC-PERP')).code).toBe(0);
    expect((await run('cancel', `${order.orderId}`)).code).toBe(1);
    expect((await run('order', 'buy', '0.004', 'BTC-PERP', '45000', '--expires', '1h')).code).toBe(0);
    expect((await run('cancel', '--all')).out).toBe('canceled 1 orders\n');
    expect((await run('orders')).out).toBe('no open orders\n');
    expect((await run('withdraw', '5', '--l1', 'http://127.0.0.1:1')).code).toBe(3);
  }, 60_000);

  it('moves money between sub-accounts and makes session keys', async () => {
    exchange.deposit(trader.address, 1_000_000, 1);
    await until(() => exchange.state.accountOf(trader.address, 1) !== 0);
    const other = exchange.state.accountOf(trader.address, 1);
    expect((await run('account', 'transfer', '2.5', '--to', `${other}`)).out).toContain('transferred 2.5');
    expect(exchange.state.accounts.cash[other]).toBe(3_500_000);
    const made = await json('account', 'session-key', '--new', '--expires', '1h', '--scope', 'trade');
    const account = exchange.state.accountOf(trader.address, 0);
    const session = ['--key', made.key, '--account', `${account}`];
    expect((await run('order', 'buy', '0.01', 'ETH-PERP', '4500', ...session)).code).toBe(0);
    expect((await run('account')).out).toContain(made.address);
    expect((await run('account', 'session-key', made.address, '--end')).code).toBe(0);
    expect((await run('cancel', '--all', ...session)).code).toBe(4);
    expect((await run('cancel', '--all')).code).toBe(0);
  }, 60_000);

  it('isolates a position, moves its margin, and sets its leverage', async () => {
    const opened = await json('isolate', 'BTC-PERP', '--subaccount', '40');
    const isolated = exchange.state.accountOf(trader.address, 40);
    expect(opened).toMatchObject({ account: isolated, subaccount: 40 });
    expect((await run('isolate', 'BTC-PERP', '--subaccount', '40')).code).toBe(4);
    expect((await run('isolate')).code).toBe(2);
    expect((await run('margin', 'add', '5000', '--isolated', `${isolated}`)).out).toContain('added 5000');
    const own = ['--account', `${isolated}`];
    expect((await run('leverage', 'BTC-PERP', '4', ...own)).out).toContain('at least 25 %');
    expect((await run('leverage', 'BTC-PERP', '0.5', ...own)).code).toBe(2);
    const { out } = await run('account', ...own);
    expect(out).toMatch(/isolated to +BTC-PERP/);
    expect(out).toMatch(/own leverage +BTC-PERP 25 %/);
    expect((await run('order', 'buy', '0.01', 'ETH-PERP', '4500', ...own)).code).toBe(4);
    const back = await run('margin', 'remove', '4000', '--isolated', `${isolated}`);
    expect(back.out).toContain(`to account ${exchange.state.accountOf(trader.address, 0)}`);
    expect(exchange.state.accounts.cash[isolated]).toBe(1_000_000_000);
    expect((await run('markets')).out).toMatch(/initial %.*depth.*pool/);
  }, 60_000);

  it('works with more than ten sub-accounts of one owner', async () => {
    const subaccounts = Array.from({ length: 12 }, (_, i) => i + 10);
    for (const subaccount of subaccounts) exchange.deposit(trader.address, 1_000_000, subaccount);
    await until(() => exchange.state.accountOf(trader.address, 21) !== 0);
    const ids = subaccounts.map((subaccount) => exchange.state.accountOf(trader.address, subaccount));
    const { out } = await run('account');
    for (const id of ids) expect(out).toMatch(new RegExp(`other accounts .*\\b${id}\\b`));
    const last = ids.at(-1)!;
    expect((await run('account', 'transfer', '40000', '--to', `${last}`)).code).toBe(0);
    const placed = await run('order', 'buy', '0.01', 'BTC-PERP', '45000', '--account', `${last}`);
    expect(placed.out).toMatch(/resting/);
    expect(exchange.state.accounts.openOrders[last]).toBe(1);
    expect((await run('cancel', '--all', '--account', `${last}`)).out).toBe('canceled 1 orders\n');
    const back = await run('account', 'transfer', '40000', '--to', `${ids[0]}`, '--account', `${last}`);
    expect(back).toMatchObject({ code: 0, err: '' });
  }, 60_000);

  it('shows what would be: orders, fills, moves of prices and money', async () => {
    const question = ['--fill', 'buy 1 BTC-PERP @ 50000', '--order', 'buy 1 ETH-PERP @ 45000'];
    const view = await json('what-if', ...question, '--move', 'BTC-PERP=-10%', '--cash=-1000');
    expect(view.codes).toEqual([0, 0]);
    const position = view.after.positions.find(({ market }: { market: number }) => market === 0);
    expect(position).toMatchObject({ markPrice: 450_000 });
    const { code, out } = await run('what-if', ...question, '--cash=-950000');
    expect(code).toBe(0);
    expect(out).toMatch(/free collateral\s+\S+\s+\S+/);
    expect(out).toMatch(/BTC-PERP\s+0\.\d+\s+50000\s+-\s+4\d{4}/);
    expect((await run('what-if', '--order', 'buy 1 BTC-PERP')).err).toContain(
      "--order: expected 'buy 0.5 BTC-PERP @ 64000', got 'buy 1 BTC-PERP'",
    );
    expect((await run('what-if', '--move', 'BTC-PERP')).code).toBe(2);
  }, 60_000);

  it('publishes prices', async () => {
    const publisher = start(
      'client/cli/sluice.ts',
      ['publisher', '--source', 'fixed', '--price', 'ETH-PERP=5123.4', '--interval', '50ms'],
      { env: { SLUICE_URL: exchange.url, SLUICE_PUBLISHER_KEYS: PUBLISHER_KEYS.join(',') } },
    );
    await until(() => exchange.state.market(1)!.index === 512_340 && publisher.out().includes('Ctrl-C'));
    publisher.child.kill('SIGTERM');
    const { code, out } = await publisher.done;
    expect(code).toBe(0);
    // The publishers of this file use the same keys: now and then one is told that the other was newer.
    expect(out).toMatch(
      /^5 publishers report ETH-PERP; Ctrl-C ends\n(publisher \d: .*\n)*\d+ of \d+ reports taken\n$/,
    );
  }, 60_000);
});

describe('examples', () => {
  it('a market maker and a taker trade with each other, and leave nothing behind', async () => {
    const env = (place: number) => ({ SLUICE_KEY: DEVELOPMENT_KEYS[place]! });
    const before = exchange.state.nextTradeId;
    const maker = start('client/examples/market-maker.ts', ['ETH-PERP', exchange.url], { env: env(9) });
    const account = exchange.state.accountOf(trader.address, 0);
    await until(() => exchange.state.accounts.openOrders[account] === 10);
    const taker = start('client/examples/taker.ts', ['ETH-PERP', exchange.url], { env: env(8) });
    // The index walks away from the quotes, which follow: the taker is sometimes faster.
    let price = 500_000;
    const walk = await runPublishers({
      url: exchange.url,
      signers: PUBLISHER_KEYS.map((key) => keySigner(key)),
      source: () => ({ priceAt: () => ({ price, confidence: 1 }) }),
      markets: [1],
      intervalMs: 20,
    });
    await until(() => {
      price = 500_000 + Math.round(6_000 * Math.sin(Date.now() / 300));
      return exchange.state.nextTradeId > before;
    });
    await walk.stop();
    taker.child.kill('SIGINT');
    const taken = await taker.done;
    expect(taken).toMatchObject({ code: 0, err: '' });
    expect(taken.out).toMatch(/(bought|sold) [\d.]+ at [\d.]+, position/);
    maker.child.kill('SIGINT');
    expect((await maker.done).code).toBe(0);
    expect(exchange.state.accounts.openOrders[account]).toBe(0);
  }, 60_000);
});
