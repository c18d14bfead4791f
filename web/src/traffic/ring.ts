// Rows in memory: a bounded window over a sequence that grows at both ends.
// Each item keeps its number (`first` … `end` - 1) as long as it stays, whatever comes or goes.

export class Ring<T> {
  readonly capacity: number;
  /** Number of the oldest item. Below 0 once older ones were put before. */
  first = 0;
  /** Number behind the newest item. */
  end = 0;
  private readonly slots: (T | undefined)[];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.slots = new Array<T | undefined>(capacity).fill(undefined);
  }

  get size(): number {
    return this.end - this.first;
  }

  at(number: number): T | undefined {
    return number < this.first || number >= this.end ? undefined : this.slots[this.slot(number)];
  }

  /** Put items behind the newest; the oldest leave when there is no room. */
  append(items: readonly T[]): void {
    for (const item of items) {
      if (this.size === this.capacity) this.first++;
      this.slots[this.slot(this.end++)] = item;
    }
  }

  /** Put items (oldest first) before the oldest; the newest leave when there is no room. */
  prepend(items: readonly T[]): void {
    for (let index = items.length - 1; index >= 0; index--) {
      if (this.size === this.capacity) this.end--;
      this.slots[this.slot(--this.first)] = items[index];
    }
  }

  /** Forget all items. Numbers go on, so that none ever means two. */
  clear(): void {
    this.slots.fill(undefined);
    this.first = this.end;
  }

  private slot(number: number): number {
    return ((number % this.capacity) + this.capacity) % this.capacity;
  }
}
