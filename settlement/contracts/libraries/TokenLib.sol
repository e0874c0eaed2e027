// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The part of ERC-20 that the vault uses.
interface IERC20 {
    function balanceOf(address account) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// @title ERC-20 transfers that odd tokens can't get wrong
/// @notice Tokens that return nothing are accepted, tokens that return false are not, and a transfer in must arrive
/// whole: fees on transfer would leave the vault short.
library TokenLib {
    /// @notice The token refused, returned false, or has no code.
    error TransferFailed(address token, bytes returned);
    /// @notice Another amount arrived than was sent.
    error ReceivedOther(address token, uint256 expected, uint256 got);

    /// @notice Moves `amount` from `from` to this contract and checks that exactly so much arrived.
    function pull(IERC20 token, address from, uint256 amount) internal {
        uint256 before = token.balanceOf(address(this));
        _call(token, abi.encodeCall(IERC20.transferFrom, (from, address(this), amount)));
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert ReceivedOther(address(token), amount, received);
    }

    /// @notice Moves `amount` from this contract to `to`.
    function push(IERC20 token, address to, uint256 amount) internal {
        _call(token, abi.encodeCall(IERC20.transfer, (to, amount)));
    }

    function _call(IERC20 token, bytes memory data) private {
        (bool success, bytes memory returned) = address(token).call(data);
        bool fine = success
            && (returned.length == 0
                ? address(token).code.length != 0
                : returned.length >= 32 && abi.decode(returned, (uint256)) == 1);
        if (!fine) revert TransferFailed(address(token), returned);
    }
}
