/** A set of listeners; one that throws is reported apart and keeps nobody else from hearing. */

export class Listeners<Value> {
  private readonly listeners = new Set<(value: Value) => void>();

  /** Returns what takes the listener away again. */
  add(listener: (value: Value) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  get count(): number {
    return this.listeners.size;
  }

  emit(value: Value): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(value);
      } catch (error) {
        // Thrown again outside of the stream, where the program's own handler for uncaught errors sees it.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
