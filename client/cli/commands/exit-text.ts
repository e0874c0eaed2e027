/** What `sluice exit` says: where the rollup stands, what will be received, what each step does. */
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import type { AccountClaim, ExitAction, ExitView } from '../../escape/look.ts';
import { formatUnits } from '../../units.ts';
import { amountText } from '../assets.ts';
import { table, time } from '../output.ts';

export const assetText = (rollup: RollupContracts, asset: number, units: bigint): string =>
  amountText(rollup.assets[asset]!, units);

/** Amounts of several assets, `1.5 tETH + 20 tUSD`. */
const amountsText = (rollup: RollupContracts, amounts: ReadonlyMap<number, bigint>): string => {
  const parts = [...amounts].filter(([, units]) => units !== 0n).sort(([a], [b]) => a - b);
  return parts.length === 0
    ? 'nothing'
    : parts.map(([asset, units]) => assetText(rollup, asset, units)).join(' + ');
};

const at = (seconds: number): string => time(seconds * 1000);

/** Units by asset at exit prices, less what is owed of each. */
const heldBy = ({ holdings }: AccountClaim): ReadonlyMap<number, bigint> =>
  new Map([[0, holdings.quote], ...holdings.units.map(({ asset, units }) => [asset, units] as const)]);

/** The stage in a sentence or two. */
export function stageText(view: ExitView, rollup: RollupContracts): string {
  const { state } = view;
  switch (view.stage) {
    case 'running':
      return [
        `the rollup runs: its last batch came at ${at(state.committedAt)}; without another, anyone may freeze it after ${at(state.silentFrom)}`,
        ...(state.due === undefined
          ? []
          : [
              `queue entry ${state.due.index} waits; if it is not taken up by ${time(state.due.deadlineMs)}, anyone may freeze`,
            ]),
        'to leave now: sluice withdraw all; if the sequencer does not serve you: sluice exit --demand all',
      ].join('\n');
    case 'overdue': {
      const why =
        state.due !== undefined && state.now * 1000 > state.due.deadlineMs
          ? `queue entry ${state.due.index} was due by ${time(state.due.deadlineMs)}`
          : `the sequencer has been silent since ${at(state.committedAt)}`;
      return `${why}: anyone may freeze the rollup, for good; then everybody is paid from its last final ledger`;
    }
    case 'pending':
      return `the rollup is frozen; batches ${state.finalId + 1} to ${state.committedId} still have to become final or be struck`;
    case 'unsettled':
      return `the rollup is frozen and nothing is pending: its ledger can be settled; claims are then registered for ${state.claimPeriod} s`;
    case 'claiming':
      return `the rollup is settled; claims are registered until ${at(state.settled!.claimsUntil)}, and paid from then on`;
    case 'paying': {
      const missed =
        state.assets.every(({ claim }) => claim === 0n) &&
        view.accounts.some(({ claims }) => claims.size > 0);
      const totals = new Map(state.assets.map(({ claimTotal }, asset) => [asset, claimTotal]));
      return [
        `the rollup is settled and claims are paid: ${amountsText(rollup, totals)} were registered in time`,
        ...(missed ? ['no claim of this owner was registered in time: late claims are not taken'] : []),
      ].join('\n');
    }
  }
}

/** Tables of accounts and of what is received. */
export function viewText(view: ExitView, rollup: RollupContracts): string {
  const isExact = view.stage === 'paying';
  const rows = view.receives
    .filter(({ refunds, withdrawals, claim }) => refunds + withdrawals + claim > 0n)
    .map(({ asset, refunds, withdrawals, claim }) => [
      rollup.assets[asset]!.symbol,
      ...[refunds, withdrawals, claim, refunds + withdrawals + claim].map((units) =>
        formatUnits(units, rollup.assets[asset]!.decimals),
      ),
    ]);
  const parts: string[] = [];
  if (view.accounts.length > 0)
    parts.push(
      table(
        ['account', 'sub-account>', 'equity>', 'holds and owes (-)', 'claims', 'state'],
        view.accounts.map((one) => [
          one.account,
          one.subaccount,
          formatUnits(one.equity, rollup.assets[0]!.decimals),
          amountsText(rollup, heldBy(one)),
          amountsText(rollup, one.claims),
          one.registered ? 'registered' : one.claims.size > 0 ? 'not registered' : 'nothing to claim',
        ]),
      ),
    );
  parts.push(
    rows.length === 0
      ? 'you will receive nothing (more)'
      : table(
          [
            view.stage === 'running' ? 'frozen now, you would receive' : 'you receive',
            'deposits back>',
            'withdrawals>',
            isExact ? 'claim>' : 'claim, if everybody registers>',
            'sum>',
          ],
          rows,
        ),
  );
  return parts.join('\n\n');
}

/** One step, as something that is done. */
export function actionText(action: ExitAction, view: ExitView, rollup: RollupContracts): string {
  switch (action.kind) {
    case 'freeze':
      return 'freeze the rollup: no batch is taken any more';
    case 'finalize':
      return `make batch ${action.batch} final`;
    case 'settle':
      return `settle the ledger of batch ${view.state.finalId}`;
    case 'withdraw':
      return `collect a final withdrawal of ${assetText(rollup, action.proof.asset, action.amount)}`;
    case 'count':
      return `count the deposits among queue entries ${action.entries[0]!.index} to ${action.entries.at(-1)!.index}`;
    case 'refund':
      return `take back deposit ${action.entry.index} of ${assetText(rollup, action.asset, action.amount)}`;
    case 'prices':
      return `prove the prices of markets ${action.markets.map(({ market }) => market).join(', ')}`;
    case 'assets':
      return `prove what ${action.assets.map(({ asset }) => rollup.assets[asset]!.symbol).join(', ')} are worth`;
    case 'register':
      return `register the claims of accounts ${action.accounts.map(({ account }) => account).join(', ')}`;
    case 'claim':
      return `claim ${assetText(rollup, action.asset, action.amount)}`;
  }
}

/** The view for programs: amounts in ledger units, times in seconds of L1. */
export const viewJson = (view: ExitView, rollup: RollupContracts) => ({
  stage: view.stage,
  batch: view.state.finalId,
  accounts: view.accounts.map((one) => ({
    ...{ account: one.account, subaccount: one.subaccount, equity: one.equity, registered: one.registered },
    holdings: Object.fromEntries(heldBy(one)),
    claims: Object.fromEntries(one.claims),
  })),
  receives: view.receives,
  isExact: view.stage === 'paying',
  toDo: view.actions.map((action) => ({ kind: action.kind, what: actionText(action, view, rollup) })),
  nextAt: view.nextAt,
  overdueFrom: view.state.silentFrom,
  claimsUntil: view.state.settled?.claimsUntil,
});
