/** A batch's inputs → its records (protocol/command.ts), each whole and of a known kind. */
import { viewOf } from '#protocol/bytes.ts';
import { COMMAND_KINDS_MAX, recordBodyBytes, recordKind } from '#protocol/command.ts';
import { RECORD_BODY_BYTES_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';

export class InputsError extends Error {
  override readonly name = 'InputsError';
  readonly field: string;
  readonly expected: string;
  readonly got: string;

  constructor(field: string, expected: string, got: string) {
    super(`inputs, ${field}: expected ${expected}, got ${got}`);
    this.field = field;
    this.expected = expected;
    this.got = got;
  }
}

/** Views into `inputs`, in order. Throws `InputsError` on bytes that are not whole records. */
export function splitRecords(inputs: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  const view = viewOf(inputs);
  for (let at = 0; at < inputs.length; ) {
    const refuse = (field: string, expected: string, got: string | number): never => {
      throw new InputsError(`record ${records.length} at byte ${at}, ${field}`, expected, `${got}`);
    };
    const left = inputs.length - at;
    if (left < RECORD_HEADER_BYTES) refuse('header', `${RECORD_HEADER_BYTES} bytes`, left);
    const body = recordBodyBytes(view, at);
    const most = Math.min(RECORD_BODY_BYTES_MAX, left - RECORD_HEADER_BYTES);
    if (body > most) refuse('length of its body', `at most ${most}`, body);
    const kind = recordKind(view, at);
    if (kind < 1 || kind > COMMAND_KINDS_MAX) refuse('kind', `1 to ${COMMAND_KINDS_MAX}`, kind);
    if (inputs[at + 5] !== 0) refuse('reserved byte', '0', inputs[at + 5]!);
    records.push(inputs.subarray(at, at + RECORD_HEADER_BYTES + body));
    at += RECORD_HEADER_BYTES + body;
  }
  return records;
}
