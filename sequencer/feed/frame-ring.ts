/** The last frames of one stream in slots of one size, by a sequence that rises from frame to frame. */
import { viewOf } from '#protocol/bytes.ts';

const SLOTS_FIRST = 4;

export class FrameRing {
  private readonly slotBytes: number;
  private readonly slotsMax: number;
  bytes: Uint8Array;
  /** The slots; replaced when the ring grows. */
  view: DataView;
  private sequences: Float64Array;
  private slots = SLOTS_FIRST;
  private head = 0;
  private held = 0;
  /** Sequence of the newest frame; before the first, the one it will follow. */
  last: number;
  /** Frames up to this sequence are not held any more. */
  private lostThrough: number;

  constructor(shape: { slotBytes: number; slotsMax: number }, before: number) {
    this.slotBytes = shape.slotBytes;
    this.slotsMax = Math.max(SLOTS_FIRST, shape.slotsMax);
    this.bytes = new Uint8Array(shape.slotBytes * SLOTS_FIRST);
    this.view = viewOf(this.bytes);
    this.sequences = new Float64Array(SLOTS_FIRST);
    this.last = before;
    this.lostThrough = before;
  }

  /** Takes the next slot for the frame `sequence`; a whole frame must be written where it says, in `view`. */
  push(sequence: number): number {
    if (this.held === this.slots) {
      if (this.slots < this.slotsMax) this.grow();
      else {
        this.lostThrough = this.sequences[this.head]!;
        this.head = (this.head + 1) % this.slots;
        this.held--;
      }
    }
    const slot = (this.head + this.held) % this.slots;
    this.held++;
    this.sequences[slot] = sequence;
    this.last = sequence;
    return slot * this.slotBytes;
  }

  /** True when every frame after `sequence` is held. */
  reaches(sequence: number): boolean {
    return sequence >= this.lostThrough && sequence <= this.last;
  }

  /** The frames after `sequence`, joined, in memory of their own. */
  since(sequence: number): Uint8Array {
    let first = this.held;
    while (first > 0 && this.sequences[(this.head + first - 1) % this.slots]! > sequence) first--;
    const joined = new Uint8Array((this.held - first) * this.slotBytes);
    let at = 0;
    for (let n = first; n < this.held; n++) {
      const from = ((this.head + n) % this.slots) * this.slotBytes;
      const length = this.view.getUint16(from, true);
      joined.set(this.bytes.subarray(from, from + length), at);
      at += length;
    }
    return joined.subarray(0, at);
  }

  private grow(): void {
    const slots = Math.min(this.slots * 2, this.slotsMax);
    const bytes = new Uint8Array(slots * this.slotBytes);
    const sequences = new Float64Array(slots);
    for (let n = 0; n < this.held; n++) {
      const from = (this.head + n) % this.slots;
      bytes.set(this.bytes.subarray(from * this.slotBytes, (from + 1) * this.slotBytes), n * this.slotBytes);
      sequences[n] = this.sequences[from]!;
    }
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.sequences = sequences;
    this.slots = slots;
    this.head = 0;
  }
}
