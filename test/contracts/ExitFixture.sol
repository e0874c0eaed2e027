// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fixture} from "./Fixture.sol";
import {SlowTree} from "./TreeProof.t.sol";
import {Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {
    AccountProof,
    AssetProof,
    EntryProof,
    MarketProof,
    ProvenLeaf
} from "../../settlement/contracts/interfaces/IEscapeHatch.sol";
import {Account, AccountLib, AssetRow, Position} from "../../settlement/contracts/step/leaves/Account.sol";
import {Globals, GlobalsLib} from "../../settlement/contracts/step/leaves/Globals.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";

/// @notice Ledgers that are written leaf by leaf, and the calls that lead out of them.
abstract contract ExitFixture is Fixture {
    uint256 internal constant VOID_MS = 10_000;
    uint256 internal constant QM = 10;

    bytes32[] private _keys;
    bytes[] private _values;
    /// @dev What the queue took, in order, beside genesis.
    EntryProof[] internal entered;

    // --- the ledger ---

    function setLeaf(bytes32 key, bytes memory value) internal {
        for (uint256 i = 0; i < _keys.length; i++) {
            if (_keys[i] != key) continue;
            _values[i] = value;
            return;
        }
        _keys.push(key);
        _values.push(value);
    }

    function leafValue(bytes32 key) internal view returns (bytes memory) {
        for (uint256 i = 0; i < _keys.length; i++) if (_keys[i] == key) return _values[i];
        revert NotTrue("a leaf of this key");
    }

    function ledger() internal view returns (bytes32) {
        return SlowTree.root(_keys, _values);
    }

    function proven(bytes32 key) internal view returns (ProvenLeaf memory leaf) {
        leaf.value = leafValue(key);
        bytes memory proof = SlowTree.prove(_keys, _values, key);
        leaf.path = new bytes(proof.length - 32 - leaf.value.length);
        for (uint256 i = 0; i < leaf.path.length; i++) leaf.path[i] = proof[i];
    }

    function setClock(uint256 nowMs) internal {
        Globals memory g = GlobalsLib.decode("", false);
        g.now_ = nowMs;
        g.chain.voidMs = VOID_MS;
        setLeaf(Keys.GLOBALS, GlobalsLib.encode(g));
    }

    /// @dev A market with `QM`, and its row among the prices.
    function setMarket(uint16 market, uint32 index, uint32 mark, uint48 indexTime, int128 fundingIndex) internal {
        bytes memory config = new bytes(144);
        config[1] = bytes1(uint8(market));
        config[3] = 0x01;
        config[27] = bytes1(uint8(QM));
        setLeaf(Keys.marketConfig(market), config);
        bytes memory group = new bytes(4 * 48);
        for (uint256 i = 0; i < _keys.length; i++) if (_keys[i] == Keys.prices(market)) group = _values[i];
        bytes memory row = abi.encodePacked(index, mark, indexTime, uint32(0), fundingIndex);
        for (uint256 i = 0; i < 34; i++) group[48 * uint256(market % 4) + i] = row[i];
        setLeaf(Keys.prices(market), group);
    }

    function setCash(uint32 id, address owner, int256 cash) internal {
        Account memory account = AccountLib.create(owner, 0);
        account.cash = cash;
        setLeaf(Keys.account(id), AccountLib.encode(account));
    }

    function addPosition(uint32 id, uint16 market, int256 size, int256 v, int256 fundingIndex) internal {
        Account memory account = AccountLib.decode(leafValue(Keys.account(id)));
        Position memory position = AccountLib.ensure(account, market, fundingIndex);
        (position.size, position.v) = (size, v);
        setLeaf(Keys.account(id), AccountLib.encode(account));
    }

    /// @dev An asset whose unit is worth ticks / `whole` q, and a lending pool of these indexes (times 1e27).
    function setAsset(uint16 asset, uint16 feed, uint8 decimals, uint128 supplyIndex, uint128 borrowIndex) internal {
        bytes memory symbol = "TEST";
        setLeaf(
            Keys.assetConfig(asset),
            abi.encodePacked(
                asset, uint8(0), decimals, bytes16(bytes.concat(symbol, new bytes(12))), feed, new bytes(18), uint64(1),
                new bytes(96)
            )
        );
        setLeaf(Keys.pool(asset), abi.encodePacked(supplyIndex, borrowIndex, new bytes(50)));
    }

    function setHolding(uint32 id, uint16 asset, uint256 balance, uint256 supplyShares, uint256 debtShares) internal {
        Account memory account = AccountLib.decode(leafValue(Keys.account(id)));
        AssetRow memory row = AccountLib.ensureAsset(account, asset);
        (row.balance, row.supplyShares, row.debtShares) = (balance, supplyShares, debtShares);
        setLeaf(Keys.account(id), AccountLib.encode(account));
    }

    function setFlags(uint32 id, uint256 flags) internal {
        Account memory account = AccountLib.decode(leafValue(Keys.account(id)));
        account.flags = flags;
        setLeaf(Keys.account(id), AccountLib.encode(account));
    }

    function setWithdrawn(address owner, uint16 asset, uint128 total) internal {
        setLeaf(Keys.withdrawn(owner, asset), abi.encodePacked(total));
    }

    // --- the way out ---

    /// @dev The ledger becomes final, and nothing more is committed.
    function finish(bytes memory withdrawn) internal {
        settle(ledger(), withdrawn);
        freezeNow();
    }

    function freezeNow() internal {
        pass(LIVENESS + 1);
        rollup.freeze();
    }

    function deposit(address owner, uint16 asset, uint64 amount) internal returns (uint64 index) {
        vm.prank(owner);
        index = queue.deposit(asset, 0, amount);
        entered.push(EntryProof({kind: 0, owner: owner, payload: abi.encodePacked(asset, uint8(0), amount)}));
    }

    function force(address owner) internal {
        vm.deal(owner, 1 ether);
        vm.prank(owner);
        queue.requestForced{value: BASE_FEE}(2, hex"00");
        entered.push(EntryProof({kind: 2, owner: owner, payload: hex"00"}));
    }

    /// @dev Entries `from` to `to` of the queue, as they entered.
    function entriesOf(uint256 from, uint256 to) internal view returns (EntryProof[] memory list) {
        list = new EntryProof[](to - from);
        for (uint256 i = 0; i < list.length; i++) {
            uint256 index = from + i;
            list[i] = index < 2
                ? EntryProof({kind: genesis()[index].kind, owner: address(0), payload: genesis()[index].payload})
                : entered[index - 2];
        }
    }

    function countAll() internal {
        escape.countDeposits(entriesOf(escape.counted(), escape.queueLength()));
    }

    function provePrice(uint16 market) internal {
        MarketProof[] memory markets = new MarketProof[](1);
        markets[0] = MarketProof({
            market: market,
            config: proven(Keys.marketConfig(market)),
            prices: proven(Keys.prices(market))
        });
        escape.provePrices(proven(Keys.GLOBALS), markets);
    }

    function assetProof(uint16 asset) internal view returns (AssetProof[] memory assets) {
        assets = new AssetProof[](1);
        assets[0] =
            AssetProof({asset: asset, config: proven(Keys.assetConfig(asset)), pool: proven(Keys.pool(asset))});
    }

    function proveAsset(uint16 asset) internal {
        escape.proveAssets(assetProof(asset));
    }

    function accountProof(uint32 id) internal view returns (AccountProof[] memory list) {
        list = new AccountProof[](1);
        list[0] = AccountProof({account: id, leaf: proven(Keys.account(id))});
    }

    function register(uint32 id) internal {
        escape.registerClaims(accountProof(id));
    }

    function openPayments() internal {
        vm.warp(escape.claimsUntil());
    }

    /// @dev The queue has taken up everything so far; `header` for finalization is kept by the caller.
    function commitLedger(bytes memory withdrawn) internal returns (Header memory) {
        return commit(ledger(), withdrawn);
    }
}
