/** Queries over the WebSocket: who may ask, how many at a time, and the answer in frames. */
import type { Intake, QuerySource } from '#pipeline/ports.ts';
import { PRIVATE_QUERIES } from '#protocol/query.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import { encodeFrames, encodeNotice, FrameType } from '#protocol/wire.ts';
import type { Connection } from './connection.ts';
import { BULK_BYTES_MAX, QUERIES_MAX, QUERIES_PER_CONNECTION_MAX } from './limits.ts';
import { pack, unpackRequest } from './msgpack.ts';
import { sentenceOf } from './sentences.ts';

const isPrivate = (query: string): boolean => PRIVATE_QUERIES.some((name) => name === query);

export class QueryDesk {
  private readonly queries: QuerySource;
  private readonly intake: Intake;
  private inFlight = 0;

  constructor(queries: QuerySource, intake: Intake) {
    this.queries = queries;
    this.intake = intake;
  }

  /** Body of a QUERY frame; answered by QUERY_RESULT or QUERY_ERROR, not necessarily in the order of asking. */
  ask(connection: Connection, tag: number, body: Uint8Array): void {
    const request = unpackRequest(body);
    const code = request === undefined ? Reject.MALFORMED_FRAME : this.admit(connection, request);
    if (request === undefined || code !== Reject.NONE) {
      connection.append(encodeNotice(FrameType.QUERY_ERROR, tag, code, sentenceOf(code)));
      return;
    }
    const { query, ...parameters } = request;
    this.inFlight++;
    connection.queriesInFlight++;
    void this.queries.answer(query as string, parameters).then((answer) => {
      this.inFlight--;
      connection.queriesInFlight--;
      if (answer.ok) connection.appendBulk(encodeFrames(FrameType.QUERY_RESULT, tag, pack(answer.answer)));
      else connection.append(encodeNotice(FrameType.QUERY_ERROR, tag, answer.code, answer.sentence));
    });
  }

  private admit(connection: Connection, request: Readonly<Record<string, unknown>>): RejectCode {
    const { query, account } = request;
    if (typeof query !== 'string') return Reject.UNKNOWN_QUERY;
    if (isPrivate(query)) {
      const signer = typeof account === 'number' ? connection.logins.get(account) : undefined;
      if (signer === undefined) return Reject.NOT_LOGGED_IN;
      const code = this.intake.mayRead(account as number, signer);
      if (code !== Reject.NONE) return code;
    }
    const isFull =
      this.inFlight >= QUERIES_MAX ||
      connection.queriesInFlight >= QUERIES_PER_CONNECTION_MAX ||
      connection.bulkBytes > BULK_BYTES_MAX;
    return isFull ? Reject.BUSY : Reject.NONE;
  }
}
