/**
 * A disk that lives in memory and fails as real ones do. What is written is volatile until flushed; a power
 * cut keeps, of everything unflushed, any choice of 512-byte sectors (torn and reordered), and any beginning
 * of the directory's changes; a flush can fail, the disk can be full, bits can flip, files can lose their end.
 * Every operation counts as one and waits once, so that a test can cut at any of them.
 */
import { DiskError } from '#journal/disk-error.ts';
import type { Disk, DiskFile, DiskLock } from '#pipeline/ports.ts';

const SECTOR = 512;

interface Inode {
  now: Uint8Array;
  durable: Uint8Array;
  /** Unflushed ranges, oldest first. */
  dirty: { from: number; to: number }[];
}

interface DirectoryChange {
  /** Applied to the durable names when it reaches the disk. */
  readonly apply: (names: Map<string, Inode>) => void;
}

export interface MemoryDiskOptions {
  /** Uniform in [0, 1); decides what a power cut keeps. */
  readonly random: () => number;
  readonly capacityBytes?: number;
}

export class MemoryDisk implements Disk {
  /** Operations begun so far. */
  operations = 0;
  /** The operation (counted from 1) during which the power goes; nothing settles from then on. */
  cutAtOperation = Number.POSITIVE_INFINITY;
  /** The flush (counted from 1) that fails, losing what it should have written. */
  failFlush = Number.POSITIVE_INFINITY;
  flushes = 0;
  powerOff = false;
  capacityBytes: number;
  private readonly random: () => number;
  private readonly onPowerOff: (() => void)[] = [];
  private names = new Map<string, Inode>();
  private durableNames = new Map<string, Inode>();
  private changes: DirectoryChange[] = [];
  private readonly locks = new Set<string>();

  constructor(options: MemoryDiskOptions) {
    this.random = options.random;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Resolves when the power has gone. */
  waitForPowerOff(): Promise<void> {
    if (this.powerOff) return Promise.resolve();
    return new Promise((resolve) => this.onPowerOff.push(resolve));
  }

  /** What the machine finds when the power is back. */
  afterPowerCut(): MemoryDisk {
    const found = new MemoryDisk({ random: this.random });
    const names = new Map(this.durableNames);
    const kept = Math.floor(this.random() * (this.changes.length + 1));
    for (const change of this.changes.slice(0, kept)) change.apply(names);
    for (const [name, inode] of names) {
      const bytes = this.survive(inode);
      const copy: Inode = { now: bytes, durable: bytes.slice(), dirty: [] };
      found.names.set(name, copy);
      found.durableNames.set(name, copy);
    }
    return found;
  }

  /** As if everything were flushed and the process ended in an orderly way. */
  copy(): MemoryDisk {
    const copied = new MemoryDisk({ random: this.random });
    for (const [name, inode] of this.names) {
      const twin: Inode = { now: inode.now.slice(), durable: inode.now.slice(), dirty: [] };
      copied.names.set(name, twin);
      copied.durableNames.set(name, twin);
    }
    return copied;
  }

  paths(): string[] {
    return [...this.names.keys()].sort();
  }

  /** The bytes of a file, to read or to change behind everyone's back. */
  contents(path: string): Uint8Array {
    return this.inode(path).now;
  }

  flip(path: string, bit: number): void {
    const bytes = this.contents(path);
    bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
  }

  cutFile(path: string, bytes: number): void {
    const inode = this.inode(path);
    inode.now = inode.now.slice(0, bytes);
  }

  remove(path: string): void {
    this.names.delete(path);
  }

  async open(path: string): Promise<DiskFile> {
    await this.operation(path);
    return new MemoryFile(this, path, this.inode(path));
  }

  async create(path: string, bytes: number): Promise<DiskFile> {
    if (this.names.has(path)) throw new DiskError('exists', path, 'exists');
    const inode: Inode = {
      now: new Uint8Array(bytes),
      durable: new Uint8Array(0),
      dirty: [{ from: 0, to: bytes }],
    };
    this.link(path, inode);
    await this.operation(path);
    if (this.usedBytes() > this.capacityBytes) {
      this.names.delete(path);
      this.changes.push({ apply: (names) => names.delete(path) });
      throw new DiskError('disk-full', path, 'no space left');
    }
    inode.durable = inode.now.slice();
    inode.dirty = [];
    return new MemoryFile(this, path, inode);
  }

  async rename(from: string, to: string): Promise<void> {
    const inode = this.inode(from);
    this.names.delete(from);
    this.names.set(to, inode);
    this.changes.push({
      apply: (names) => {
        names.delete(from);
        names.set(to, inode);
      },
    });
    await this.operation(from);
  }

  async unlink(path: string): Promise<void> {
    this.inode(path);
    this.names.delete(path);
    this.changes.push({ apply: (names) => names.delete(path) });
    await this.operation(path);
  }

  async list(directory: string): Promise<string[]> {
    await this.operation(directory);
    const prefix = `${directory}/`;
    const found = new Set<string>();
    for (const name of this.names.keys())
      if (name.startsWith(prefix)) found.add(name.slice(prefix.length).split('/')[0]!);
    return [...found].sort();
  }

  async makeDirectory(path: string): Promise<void> {
    await this.operation(path);
  }

  async syncDirectory(path: string): Promise<void> {
    const begun = [...this.changes];
    await this.operation(path);
    for (const change of begun) {
      const at = this.changes.indexOf(change);
      if (at === -1) continue;
      change.apply(this.durableNames);
      this.changes.splice(at, 1);
    }
  }

  async freeBytes(): Promise<number> {
    return this.capacityBytes - this.usedBytes();
  }

  async lock(path: string): Promise<DiskLock> {
    await this.operation(path);
    if (this.locks.has(path)) throw new DiskError('locked', path, 'held by another process');
    this.locks.add(path);
    return {
      release: async () => {
        this.locks.delete(path);
      },
    };
  }

  /** One step of the machine: waits a turn; when the power has gone, for ever. */
  async operation(_path: string): Promise<void> {
    this.operations++;
    if (this.operations >= this.cutAtOperation && !this.powerOff) {
      this.powerOff = true;
      for (const tell of this.onPowerOff) tell();
    }
    if (this.powerOff) await new Promise<never>(() => {});
    await Promise.resolve();
  }

  /** Counts a flush; true when this is the one that fails. */
  flushFails(): boolean {
    this.flushes++;
    return this.flushes === this.failFlush;
  }

  private link(path: string, inode: Inode): void {
    this.names.set(path, inode);
    this.changes.push({ apply: (names) => names.set(path, inode) });
  }

  private inode(path: string): Inode {
    const inode = this.names.get(path);
    if (inode === undefined) throw new DiskError('not-found', path, 'no such file');
    return inode;
  }

  private usedBytes(): number {
    let bytes = 0;
    for (const inode of this.names.values()) bytes += inode.now.length;
    return bytes;
  }

  private survive(inode: Inode): Uint8Array {
    const lengthNow = inode.dirty.length > 0 && this.random() < 0.5 ? inode.now.length : inode.durable.length;
    const bytes = new Uint8Array(lengthNow);
    bytes.set(inode.durable.subarray(0, lengthNow));
    // Mostly some sectors; sometimes all, none, or a beginning that breaks off anywhere.
    const mode = this.random();
    for (const { from, to } of inode.dirty) {
      if (mode < 0.1) continue;
      const end = mode < 0.2 ? from + Math.floor(this.random() * (to - from)) : to;
      for (let at = from; at < end; ) {
        const next = Math.min(end, Math.floor(at / SECTOR) * SECTOR + SECTOR, lengthNow);
        if (next <= at) break;
        if (mode < 0.3 || this.random() < 0.5) bytes.set(inode.now.subarray(at, next), at);
        at = next;
      }
    }
    return bytes;
  }
}

class MemoryFile implements DiskFile {
  readonly path: string;
  private readonly disk: MemoryDisk;
  private readonly inode: Inode;

  constructor(disk: MemoryDisk, path: string, inode: Inode) {
    this.disk = disk;
    this.path = path;
    this.inode = inode;
  }

  async pwrite(bytes: Uint8Array, position: number): Promise<void> {
    this.write(bytes, position);
    await this.disk.operation(this.path);
  }

  async pwriteDurable(bytes: Uint8Array, position: number): Promise<void> {
    const range = this.write(bytes, position);
    await this.disk.operation(this.path);
    if (this.disk.flushFails()) throw new DiskError('io', this.path, 'write failed: EIO');
    this.flush([range]);
  }

  async pread(into: Uint8Array, position: number): Promise<number> {
    await this.disk.operation(this.path);
    const bytes = this.inode.now.subarray(position, position + into.length);
    into.set(bytes);
    return bytes.length;
  }

  async fdatasync(): Promise<void> {
    const ranges = this.inode.dirty;
    await this.disk.operation(this.path);
    if (this.disk.flushFails()) throw new DiskError('io', this.path, 'flush failed: EIO');
    this.flush([...ranges]);
  }

  async truncate(bytes: number): Promise<void> {
    const cut = new Uint8Array(bytes);
    cut.set(this.inode.now.subarray(0, bytes));
    this.inode.now = cut;
    this.inode.dirty.push({ from: Math.min(bytes, this.inode.durable.length), to: bytes });
    await this.disk.operation(this.path);
  }

  async size(): Promise<number> {
    await this.disk.operation(this.path);
    return this.inode.now.length;
  }

  async close(): Promise<void> {
    await this.disk.operation(this.path);
  }

  private write(bytes: Uint8Array, position: number): { from: number; to: number } {
    const end = position + bytes.length;
    if (end > this.inode.now.length) {
      const grown = new Uint8Array(end);
      grown.set(this.inode.now);
      this.inode.now = grown;
    }
    this.inode.now.set(bytes, position);
    const range = { from: position, to: end };
    this.inode.dirty.push(range);
    return range;
  }

  private flush(ranges: readonly { from: number; to: number }[]): void {
    const { inode } = this;
    if (inode.durable.length !== inode.now.length) {
      const resized = new Uint8Array(inode.now.length);
      resized.set(inode.durable.subarray(0, inode.now.length));
      inode.durable = resized;
    }
    for (const { from, to } of ranges) inode.durable.set(inode.now.subarray(from, to), from);
    inode.dirty = inode.dirty.filter((range) => !ranges.includes(range));
  }
}
