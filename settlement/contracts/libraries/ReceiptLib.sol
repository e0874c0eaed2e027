// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchLib} from "./BatchLib.sol";

/// @notice What the sequencer said of its history after command `seq`; see sequencer/protocol/receipt.ts. In memory each
/// field takes one word, so that the struct is its own abi.encode.
struct Receipt {
    uint32 epoch;
    uint64 seq;
    bytes32 inputHash;
    uint64 queueNext;
    bytes32 queueHash;
}

/// @title Receipts: codec, digest, links
/// @notice Twin of sequencer/protocol/receipt.ts; shared vectors test/vectors/receipt.json.
library ReceiptLib {
    uint256 internal constant RECEIPT_BYTES = 84;
    /// @dev With the signature.
    uint256 internal constant SIGNED_BYTES = 149;
    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(uint32 epoch,uint64 seq,bytes32 inputHash,uint64 queueNext,bytes32 queueHash)"
    );

    /// @notice The receipt with its signature is not 149 bytes.
    error ReceiptLength(uint256 expected, uint256 got);
    /// @notice The links are not whole hashes of 32 bytes, or not as many as there are commands between.
    error LinksLength(uint256 expected, uint256 got);

    /// @notice Reads a receipt as it is sent: u32 epoch ‖ u64 seq ‖ inputHash ‖ u64 queueNext ‖ queueHash ‖ signature.
    /// @return receipt what was signed
    /// @return hash its digest
    /// @return signer never the zero address: what does not recover reverts
    function open(bytes calldata signed, bytes32 separator)
        internal
        pure
        returns (Receipt memory receipt, bytes32 hash, address signer)
    {
        if (signed.length != SIGNED_BYTES) revert ReceiptLength(SIGNED_BYTES, signed.length);
        receipt.epoch = uint32(bytes4(signed[0:4]));
        receipt.seq = uint64(bytes8(signed[4:12]));
        receipt.inputHash = bytes32(signed[12:44]);
        receipt.queueNext = uint64(bytes8(signed[44:52]));
        receipt.queueHash = bytes32(signed[52:84]);
        hash = digest(receipt, separator);
        signer = BatchLib.recover(hash, signed[RECEIPT_BYTES:]);
    }

    /// @notice The digest that the sequencer signs.
    function digest(Receipt memory receipt, bytes32 separator) internal pure returns (bytes32) {
        return BatchLib.typedDigest(separator, keccak256(abi.encode(RECEIPT_TYPEHASH, receipt)));
    }

    /// @notice The running input hash after `count` commands whose record hashes are `links`: h' = keccak256(h ‖ link).
    /// @param links 32 bytes each, in order
    function fold(bytes32 inputHash, bytes calldata links, uint256 count) internal pure returns (bytes32) {
        // A count beyond what calldata can hold must not wrap around.
        if (links.length % 32 != 0 || links.length / 32 != count) revert LinksLength(count, links.length / 32);
        assembly ("memory-safe") {
            let at := links.offset
            let end := add(at, links.length)
            for {} lt(at, end) { at := add(at, 32) } {
                mstore(0x00, inputHash)
                mstore(0x20, calldataload(at))
                inputHash := keccak256(0x00, 0x40)
            }
        }
        return inputHash;
    }
}
