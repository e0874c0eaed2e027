/** Counters of the gateway. They are plain numbers where frames pass by the million, and read when /metrics is asked for. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { rejectName } from '#protocol/reject.ts';
import { frameTypeName } from '#protocol/wire.ts';

export class GatewayMetrics {
  connections = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Subscriptions that lagged and were brought up to date at once. */
  conflations = 0;
  readonly framesByType = new Float64Array(256);
  readonly rejectsByCode = new Map<number, number>();
  readonly goodbyesByCode = new Map<number, number>();
  /** Time from handing a batch to the signature workers to their verdicts. */
  readonly verifySeconds: Histogram;
  readonly verifyItems: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    const self = this;
    new Gauge({
      name: 'sluice_gateway_connections',
      help: 'Open WebSocket connections',
      registers,
      collect() {
        this.set(self.connections);
      },
    });
    const total = (name: string, help: string, read: () => number): void => {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    };
    total('sluice_gateway_received_bytes_total', 'Bytes received', () => this.bytesIn);
    total('sluice_gateway_sent_bytes_total', 'Bytes sent', () => this.bytesOut);
    total(
      'sluice_gateway_conflations_total',
      'Subscriptions that lagged and were brought up to date at once',
      () => this.conflations,
    );
    const labeled = (
      metric: { name: string; help: string; label: string },
      read: () => Iterable<readonly [string, number]>,
    ): void => {
      new Counter({
        name: metric.name,
        help: metric.help,
        labelNames: [metric.label],
        registers,
        collect() {
          this.reset();
          for (const [value, count] of read()) this.inc({ [metric.label]: value }, count);
        },
      });
    };
    labeled(
      { name: 'sluice_gateway_frames_total', help: 'Well-formed frames received', label: 'type' },
      function* () {
        for (let type = 0; type < 256; type++) {
          const count = self.framesByType[type]!;
          if (count > 0) yield [frameTypeName(type), count] as const;
        }
      },
    );
    labeled(
      { name: 'sluice_gateway_rejects_total', help: 'Frames refused before sequencing', label: 'code' },
      () => [...this.rejectsByCode].map(([code, count]) => [rejectName(code), count] as const),
    );
    labeled(
      { name: 'sluice_gateway_goodbyes_total', help: 'Connections closed by the server', label: 'code' },
      () => [...this.goodbyesByCode].map(([code, count]) => [String(code), count] as const),
    );
    this.verifySeconds = new Histogram({
      name: 'sluice_gateway_verify_seconds',
      help: 'Time from handing a batch to the signature workers to their verdicts',
      buckets: [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5],
      registers,
    });
    this.verifyItems = new Histogram({
      name: 'sluice_gateway_verify_items',
      help: 'Items in a batch for the signature workers',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    });
  }

  rejected(code: number): void {
    this.rejectsByCode.set(code, (this.rejectsByCode.get(code) ?? 0) + 1);
  }

  saidGoodbye(code: number): void {
    this.goodbyesByCode.set(code, (this.goodbyesByCode.get(code) ?? 0) + 1);
  }
}
