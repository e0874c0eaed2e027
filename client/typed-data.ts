/**
 * What a wallet shows: EIP-712 typed data for every message, with the types read from protocol/signing.ts so that
 * there is one source of them. `BigInt` only where viem wants it (uint64).
 */
import { toHex, viewOf } from '#protocol/bytes.ts';
import { MESSAGE_HEADER_BYTES } from '#protocol/limits.ts';
import {
  messageAccount,
  messageNonce,
  messageOperationBytes,
  messageValidUntil,
  SCHEME_BUNDLE,
} from '#protocol/message.ts';
import { decodeOperation, NO_MARKET, type Operation } from '#protocol/operation.ts';
import {
  BUNDLE_TYPE,
  type Domain,
  LOGIN_TYPE,
  OPERATION_TYPES,
  PRICE_REPORT_TYPE,
} from '#protocol/signing.ts';
import { SELL } from '#protocol/units.ts';

export interface TypedField {
  readonly name: string;
  readonly type: string;
}

/** In the shape that viem's `signTypedData` and `hashTypedData` take. */
export interface TypedMessage {
  readonly domain: {
    readonly name: string;
    readonly version: string;
    readonly chainId: number;
    readonly verifyingContract: `0x${string}`;
  };
  readonly types: Record<string, TypedField[]>;
  readonly primaryType: string;
  readonly message: Record<string, unknown>;
}

/** `Order(uint32 account,…)` → its name and fields. */
export function parseType(type: string): { name: string; fields: TypedField[] } {
  const match = /^(\w+)\(([^()]*)\)$/.exec(type);
  if (match === null) throw new Error(`type: expected Name(type field,…), got ${type}`);
  const fields = match[2]!.split(',').map((field) => {
    const [fieldType, name] = field.split(' ');
    return { type: fieldType!, name: name! };
  });
  return { name: match[1]!, fields };
}

function typed(domain: Domain, type: string, values: Record<string, unknown>): TypedMessage {
  const { name, fields } = parseType(type);
  const message: Record<string, unknown> = {};
  for (const field of fields) {
    const value = values[field.name];
    message[field.name] = field.type === 'uint64' ? BigInt(value as number) : value;
  }
  return {
    domain: {
      name: 'Sluice',
      version: '1',
      chainId: domain.chainId,
      verifyingContract: toHex(domain.verifyingContract),
    },
    types: { [name]: fields },
    primaryType: name,
    message,
  };
}

function operationValues(operation: Operation): Record<string, unknown> {
  switch (operation.kind) {
    case 'place':
      return {
        ...operation,
        isSell: operation.side === SELL,
        selfTradePrevention: operation.selfTradePrevention ?? 0,
        clientId: operation.clientId ?? 0,
        expiry: operation.expiry ?? 0,
      };
    case 'cancel':
    case 'amend':
      return { ...operation, byClientId: operation.by === 'client' };
    case 'cancel-all':
      return { market: operation.market ?? 0, everyMarket: operation.market === undefined };
    case 'session-key':
      return { ...operation, key: toHex(operation.key) };
    case 'isolate':
      return { ...operation, market: operation.market ?? NO_MARKET, riskPool: operation.riskPool ?? 0 };
    default:
      return { ...operation };
  }
}

/** Typed data of a well-formed message; the signature, if any, is not read. */
export function messageTypedData(domain: Domain, message: Uint8Array): TypedMessage {
  const view = viewOf(message);
  const envelope = {
    account: messageAccount(view),
    nonce: messageNonce(view),
    validUntil: messageValidUntil(view),
  };
  if (message[0] === SCHEME_BUNDLE) {
    const end = MESSAGE_HEADER_BYTES + messageOperationBytes(view);
    return typed(domain, BUNDLE_TYPE, {
      ...envelope,
      operations: toHex(message.subarray(MESSAGE_HEADER_BYTES, end)),
    });
  }
  const operation = decodeOperation(view, MESSAGE_HEADER_BYTES);
  return typed(domain, OPERATION_TYPES[message[MESSAGE_HEADER_BYTES]!]!, {
    ...envelope,
    ...operationValues(operation),
  });
}

export const loginTypedData = (domain: Domain, account: number, time: number): TypedMessage =>
  typed(domain, LOGIN_TYPE, { account, time });

export const reportTypedData = (
  domain: Domain,
  report: {
    market: number;
    publisher: number;
    time: number;
    sequence: number;
    price: number;
    confidence: number;
  },
): TypedMessage => typed(domain, PRICE_REPORT_TYPE, { ...report });
