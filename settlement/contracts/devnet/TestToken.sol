// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A token of development chains
/// @notice A plain ERC-20 that anyone can mint. It refuses to exist on mainnet.
contract TestToken {
    string public name;
    string public symbol;
    uint8 public immutable decimals;

    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 amount);
    event Approval(address indexed owner, address indexed spender, uint256 amount);

    error DevelopmentOnly(uint256 chainId);
    error InsufficientBalance(address account, uint256 expected, uint256 got);
    error InsufficientAllowance(address owner, uint256 expected, uint256 got);

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        if (block.chainid == 1) revert DevelopmentOnly(block.chainid);
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    /// @notice Gives `amount` new units to `to`.
    function mint(address to, uint256 amount) external {
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed < amount) revert InsufficientAllowance(from, amount, allowed);
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) private {
        uint256 before = balanceOf[from];
        if (before < amount) revert InsufficientBalance(from, amount, before);
        unchecked {
            balanceOf[from] = before - amount;
            balanceOf[to] += amount;
        }
        emit Transfer(from, to, amount);
    }
}
