// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Tokens that misbehave in ways that real ones do.
abstract contract OddToken {
    mapping(address account => uint256) internal _shares;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        _shares[to] += amount;
    }

    function balanceOf(address account) public view virtual returns (uint256) {
        return _shares[account];
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function _move(address from, address to, uint256 amount) internal {
        _shares[from] -= amount;
        _shares[to] += amount;
    }
}

/// @notice Returns nothing, as USDT does.
contract SilentToken is OddToken {
    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        _move(from, to, amount);
    }
}

/// @notice Says false instead of reverting, and moves nothing.
contract FalseToken is OddToken {
    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }
}

/// @notice Says true and moves nothing.
contract LyingToken is OddToken {
    function transfer(address, uint256) external pure returns (bool) {
        return true;
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        return true;
    }
}

/// @notice Keeps a hundredth of each transfer.
contract FeeToken is OddToken {
    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _move(from, to, amount);
        _shares[to] -= amount / 100;
        return true;
    }
}

/// @notice Returns something that is neither true nor false.
contract NoisyToken is OddToken {
    function transfer(address to, uint256 amount) external returns (uint256) {
        _move(msg.sender, to, amount);
        return 2;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (uint256) {
        _move(from, to, amount);
        return 2;
    }
}

/// @notice Calls whatever it was told to in the midst of a transfer.
contract ReentrantToken is OddToken {
    address public target;
    bytes public call;
    bytes public answer;
    bool public succeeded;

    function arm(address target_, bytes calldata call_) external {
        (target, call) = (target_, call_);
    }

    function _strike() private {
        if (target == address(0)) return;
        address aim = target;
        target = address(0);
        (succeeded, answer) = aim.call(call);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _strike();
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _strike();
        _move(from, to, amount);
        return true;
    }
}

/// @notice Takes a part of everybody's balance back, as tokens with negative rebases do.
contract RebasingToken is OddToken {
    /// @dev Millionths that are left of what was given.
    uint256 public left = 1e6;

    function rebase(uint256 left_) external {
        left = left_;
    }

    function balanceOf(address account) public view override returns (uint256) {
        return _shares[account] * left / 1e6;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount * 1e6 / left);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _move(from, to, amount * 1e6 / left);
        return true;
    }
}

/// @notice Pays nobody who is on its list.
contract ChoosyToken is OddToken {
    mapping(address account => bool) public barred;

    error Barred(address account);

    function bar(address account) external {
        barred[account] = true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        if (barred[to]) revert Barred(to);
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _move(from, to, amount);
        return true;
    }
}
